# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the AI Gateway as tier 1 does otherwise than tier 1 of the `local` target, and which tests say so.

These tests are expected to fail there, and one that passes is a mistake in this list. What happens instead is tested by requests
on the same programs, in tests/cluster, by tests whose names begin with `test_difference`. docs/architecture.md has the same sentences.
With its controller or without, it is the same list.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Difference:
    """One difference.

    Attributes:
        said: What is so, in one sentence.
        tests: Names of tests with their files; without parameters it is all of them.
    """

    said: str
    tests: tuple[str, ...]


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "an answer to `/healthz` has a header of Envoy's, which may name the Gateway",
        ("test_health.py::test_health_needs_no_identity_and_says_nothing",),
    ),
    Difference(
        "what Envoy refuses before it has chosen a route - another host, an encoded slash, headers that are too large - has neither a "
        "body in the caller's protocol nor a request id",
        (
            "test_http2.py::test_an_odd_request_is_served_or_refused_in_good_form[path with a fragment]",
            "test_http2.py::test_an_odd_request_is_served_or_refused_in_good_form[path with an encoded slash]",
            "test_http2.py::test_no_form_of_a_request_avoids_identity[another authority]",
            "test_paths.py::test_no_odd_path_avoids_identity[http://other.invalid/v1/models/{m}:predict]",
            "test_paths.py::test_headers_that_are_too_large_are_refused",
            *(
                f"test_paths.py::test_an_odd_path_is_either_served_or_refused_in_good_form[{path}]"
                for path in (
                    "*",
                    "/v1%2Fmodels/{m}:predict",
                    "/v1/models%2F{m}:predict",
                    "/v1/models%2f{m}:predict",
                    "/v1/models%5C{m}:predict",
                    "/v1/models/x%2F..%2F{m}:predict",
                    "/v1/models/{m}%00:predict",
                    "/v1/models/{m}:predict#x",
                    "/v1/models/{m}:predict%00",
                    "/v1/models/{m}:predict\\xc3\\xa9",
                    "/v2/models/x/..%2f{m}/infer",
                    "v1/models/{m}:predict",
                )
            ),
        ),
    ),
    Difference(
        "a body without a model reads as 404 instead of 400",
        (
            "test_openai.py::test_a_body_that_names_no_model_is_a_bad_request[]",
            "test_openai.py::test_a_body_that_names_no_model_is_a_bad_request[null]",
            "test_openai.py::test_a_body_that_names_no_model_is_a_bad_request[{}]",
            'test_openai.py::test_a_body_that_names_no_model_is_a_bad_request[{"model": null}]',
            'test_openai.py::test_a_body_that_names_no_model_is_a_bad_request[{"model": ""}]',
            'test_openai.py::test_a_body_that_names_no_model_is_a_bad_request[{"messages": []}]',
            "test_paths.py::test_an_ambiguous_request_is_refused[headers12]",
        ),
    ),
    Difference(
        "a model's name that no header could hold reads as 500",
        (
            'test_isolation.py::test_no_form_of_a_body_reaches_a_foreign_model[{{"model": "{foreign_bare}\\\\u0000", {rest}}}]',
        ),
    ),
    Difference(
        "what a language model itself refuses is told in its server's words",
        (
            "test_openai.py::test_what_the_model_refuses_is_a_bad_request",
            "test_openai.py::test_a_models_own_failure_has_the_form_of_its_protocol",
            *(
                f"test_openai.py::test_a_models_own_refusal_has_the_form_of_its_protocol[{case}]"
                for case in (
                    "/v1/chat/completions-body0-None",
                    "/v1/chat/completions-body3-None",
                    "/v1/chat/completions-body4-context_length_exceeded",
                    "/v1/completions-body5-None",
                    "/v1/completions-body6-context_length_exceeded",
                    "/v1/embeddings-body7-None",
                    "/v1/embeddings-body8-None",
                    "/v1/responses-body9-None",
                    "/v1/responses-body10-None",
                )
            ),
        ),
    ),
    Difference(
        "a body with an encoding is refused as 400 instead of 415",
        ("test_openai.py::test_an_encoded_body_is_refused_everywhere_alike",),
    ),
    Difference(
        "a refusal does not wait for the rest of a body, and headers have a minute to arrive",
        (
            "test_paths.py::test_a_refusal_waits_for_a_small_body_so_that_no_client_loses_it",
            "test_paths.py::test_headers_that_never_end_are_not_waited_for",
        ),
    ),
    Difference(
        "what tier 1 answers itself, as the list of models, counts against no limit",
        (
            "test_limits.py::test_a_flood_is_answered_as_far_as_the_limit_goes",
            "test_limits.py::test_answers_count_down",
            "test_limits.py::test_another_credential_of_the_tenant_goes_on",
            "test_limits.py::test_a_limit_holds_on_every_path_in_its_protocol",
            "test_limits.py::test_no_header_and_no_form_of_the_path_avoids_a_limit",
            "test_limits.py::test_after_the_time_it_was_told_the_key_is_answered_again",
        ),
    ),
    Difference(
        "a good credential is found also beside other characters, and beside a second credential",
        (
            *(
                f"test_token_attacks.py::test_hostile_credential_is_refused[{case}]"
                for case in (
                    "bare carriage return",
                    "good and a wrong x-api-key",
                    "leading dot",
                    "not ASCII",
                    "padded with equals signs",
                    "signature too long",
                    "text after a space",
                )
            ),
            "test_keys.py::test_nearly_a_key_is_none[<lambda>2]",
            "test_keys.py::test_two_credentials_are_refused",
        ),
    ),
)


def of(test: str) -> Difference | None:
    """Find the difference by which a test fails.

    Args:
        test: Its name with its file, as ``test_health.py::test_everything[/]``.
    """
    names = {test, test.partition("[")[0]}
    return next((one for one in DIFFERENCES if names & set(one.tests)), None)
