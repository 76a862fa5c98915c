# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts a model's files are fetched from by a pod, as opposed to the node or a volume."""

from __future__ import annotations

from collections.abc import Iterable

from ..inventory import Model, Source

# Vendors' own stores, as their clients reach them by default:
#   https://docs.aws.amazon.com/general/latest/gr/s3.html
#   https://cloud.google.com/storage/docs/request-endpoints
#   https://huggingface.co/docs/hub: large files come from hosts below hf.co
_HOSTS = {
    "s3": ("*.amazonaws.com",),
    "gs": ("storage.googleapis.com", "oauth2.googleapis.com"),
    "hf": ("huggingface.co", "*.hf.co"),
}


def sources(model: Model) -> list[Source]:
    """List the sources of every version of a model."""
    return [model.origin, *(version.origin for version in model.versions)]


def hosts(models: Iterable[Model]) -> list[str]:
    """List the hosts from which pods of some models fetch files.

    Returns:
        Hosts in alphabetical order, ``*.`` before a domain for all below it. A store of one's own behind
        `s3` is not known here: its host stands in the Secret.
    """
    found: set[str] = set()
    for source in (source for model in models for source in sources(model)):
        if source.scheme == "https":
            found.add(source.location.partition(":")[0])
        found.update(_HOSTS.get(source.scheme, ()))
    return sorted(found)


def fetching(models: Iterable[Model]) -> list[Model]:
    """List the models whose pods fetch files from elsewhere."""
    return [model for model in models if hosts([model])]
