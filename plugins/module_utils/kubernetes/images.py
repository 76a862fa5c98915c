# Copyright: (c) 2026, Inference-in-a-Box contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Under which names a platform asks for its images, and which ones it needs.

Another registry has all images under their own names, without the host: ``docker.io/istio/pilot`` is
``REGISTRY/istio/pilot`` there.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..catalogue import train
from ..inventory import Platform
from ..serving.upstreams import LLAMACPP, PREDICTIVE
from .runtimes import runtime_of
from .storage_hosts import fetching

# Hundreds of megabytes that nobody needs whose models come from volumes and packages.
_FETCHER = "kserve/storage-initializer"

# The one image that no registry has, by the repository for which it is made.
RUNTIME = "inferencebox/runtime"

# The controller that routes Knative's requests where net-istio cannot be had, and the name that it is asked for by.
INGRESS = "inferencebox/knative-ingress"
INGRESS_IMAGE = f"localhost/{INGRESS}:0.1.0"

# The setting of KServe's chart that names a runtime's image, where it is not the runtime's own name.
_SETTINGS = {"kserve-tensorflow-serving": "tensorflow"}

# What is not among the images that can be built, and what is missing without them: loggers, batchers and graphs of
# KServe, checks of KEDA's objects, issuers on the internet, and a check after the install.
_NOT_BUILT = (
    "kserve/agent",
    "kserve/router",
    "kedacore/keda-admission-webhooks",
    "jetstack/cert-manager-acmesolver",
    "jetstack/cert-manager-startupapicheck",
)


@dataclass(frozen=True)
class Image:
    """One image that a platform needs.

    Attributes:
        name: Under which it is asked for.
        published: Where its project publishes it; empty for the platform's own.
        repository: Its repository without the host: what it is, whoever has it.
    """

    name: str
    published: str
    repository: str

    @property
    def file(self) -> str:
        """Name of its archive in a bundle."""
        tag = self.name.rpartition(":")[2].rpartition("/")[2]
        return f"{self.repository.replace('/', '-')}-{tag}.tar"


def repository(image: str) -> str:
    """Cut off host and tag: ``docker.io/istio/pilot:1.2.3`` becomes ``istio/pilot``."""
    path = image.partition("@")[0]
    head, _, last = path.rpartition("/")
    return f"{head}/{last.partition(':')[0]}".partition("/")[2]


def address(platform: Platform, image: str) -> str:
    """Say under which name a published image is asked for.

    Args:
        platform: The platform.
        image: Its published name, with its registry's host.
    """
    registry = platform.images.registry
    return image if registry is None else f"{registry}/{image.partition('/')[2]}"


def envoy(platform: Platform) -> str:
    """Say under which name tier 1's Envoy is asked for: that of the release train, whatever runs it."""
    (published,) = (
        train(platform.train, platform.images.source).components["envoy"].published_images
    )
    return address(platform, published)


def kserve_runtimes(platform: Platform) -> dict[str, str]:
    """Name the published images of KServe's own runtimes, by the names of their settings in its chart."""
    kserve = train(platform.train).components["kserve"]
    return {
        setting: image.format(version=kserve.version) for setting, image in kserve.runtimes.items()
    }


def needed(platform: Platform, components: list[str]) -> list[Image]:
    """List the images that a platform needs, each once.

    Args:
        platform: The platform.
        components: Names of the components that it installs.

    Returns:
        Those of the node itself, of components that are told another registry, of the models' runtimes, and the
        platform's own.
    """
    chosen = train(platform.train, platform.images.source).components
    node = platform.cluster.provider == "node"
    published = list(train(platform.train).node_images.values()) if node else []
    published += [image for name in components for image in chosen[name].published_images]
    # What tier 1 consists of, and no layer installs.
    if platform.engine.gateway == "standalone":
        beside = ["ai-gateway-cli", "envoy"]
    else:
        beside = ["ratelimit", "envoy"] if "envoy-gateway" in components else []
    published += [image for name in beside for image in chosen[name].published_images]
    runtimes = kserve_runtimes(platform)
    for model in platform.models:
        name = runtime_of(model).name
        setting = _SETTINGS.get(name, name.removeprefix("kserve-"))
        if setting in runtimes:
            published.append(runtimes[setting])
    found = [Image(address(platform, one), one, repository(one)) for one in published]
    if platform.images.source == "built":
        unused = () if fetching(platform.models) else (_FETCHER,)
        found = [one for one in found if one.repository not in (*_NOT_BUILT, *unused)]
    if node and "knative-serving" in components:
        found.append(Image(INGRESS_IMAGE, "", INGRESS))
    if _own_runtime(platform):
        found.append(Image(platform.cluster.runtime_image, "", RUNTIME))
    return list(dict.fromkeys(found))


def _own_runtime(platform: Platform) -> bool:
    own = (LLAMACPP, PREDICTIVE)
    return any(
        runtime_of(model).name in own or source.startswith("python://")
        for model in platform.models
        for source in (model.source, *(other.source for other in model.versions))
    )
