"""Host names: (partition, region, FIPS, dual stack) -> host and signing region, reduced to templates.

The rule sets are asked by botocore itself, region by region; `{}` stands for the region.
"""

import collections

PARTITIONS = ("aws", "aws-cn", "aws-us-gov", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f", "aws-eusc")
# Letters of a variant: f(ips), d(ual stack).
# What some rule sets ask for beside region and variant: the answer of most of the API's operations.
USUAL = {"acm": {"ServiceType": "ACM"}, "neptune-graph": {"ApiType": "ControlPlane"}}
# S3's own router and the account that stands before S3 Control's hosts are not of these rules.
ROUTED_BY_HAND = {"s3", "s3control"}
VARIANTS = {"": (False, False), "f": (True, False), "d": (False, True), "fd": (True, True)}


def regions_of(partitions, partition):
    found = next(p["regions"] for p in partitions["partitions"] if p["id"] == partition)
    return sorted(r for r in found if not r.endswith("-global"))


def pseudo(partition):
    """The region of a partition's global services."""
    return f"{partition}-global"


def elsewhere(model, provider):
    """The operations that the rules send to another host than the API's others."""
    if model.service in ROUTED_BY_HAND:
        return set()
    usual = USUAL.get(model.service, {})

    def own(operation):
        static = {name: given["value"] for name, given in operation.get("staticContextParams", {}).items()}
        return not static or host(provider, "us-west-2", False, False, static) == host(
            provider, "us-west-2", False, False, usual)

    return {name for name, operation in model.operations.items() if not own(operation)}


def lines(provider, partitions, usual):
    """`h  partition  variant  template[@region]  [region=template[@region]]…` for each that exists."""
    found = []
    for partition in PARTITIONS:
        regions = regions_of(partitions, partition)
        for variant, (fips, dual) in VARIANTS.items():
            by_region = {}
            for region in regions:
                answer = host(provider, region, fips, dual, usual)
                if answer:
                    by_region[region] = answer
            if by_region:
                of_all = host(provider, pseudo(partition), fips, dual, usual)
                # Without a region of its own to sign for, the name is made up.
                named = [f"{pseudo(partition)}={of_all}"] if of_all and "@" in of_all else []
                found.append("\t".join(["h", partition, variant or "-", *reduced(by_region), *named]))
    return found


def host(provider, region, fips, dual, more):
    try:
        answer = provider.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual, **more)
    except Exception:
        return None
    signed = [s.get("signingRegion") for s in answer.properties.get("authSchemes", []) if s.get("signingRegion")]
    name = answer.url.removeprefix("https://").rstrip("/")
    template = name.replace(region, "{}")
    return f"{template}@{signed[0]}" if signed and signed[0] != region else template


def reduced(by_region):
    common, _ = collections.Counter(by_region.values()).most_common(1)[0]
    # A global service's own region needs no `@`.
    homes = {t.split("@")[1] for t in by_region.values() if "@" in t}
    other = [f"{region}={template}" for region, template in sorted(by_region.items())
             if template != common and f"{template}@{region}" != common and region not in
             {h for h in homes if template.split("@")[0] == common.split("@")[0]}]
    return [common, *other]
