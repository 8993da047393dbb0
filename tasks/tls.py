"""TLS: every host trusts the CA, and APIs leave haproxy their ports where it shares a host with them."""

from pyinfra import host

from cloud import tls
from operations import config, service, trust
from tasks.context import cloud

node = cloud.node(host)

if cloud.ca_file:
    config.file(
        name="Write down the cloud's CA",
        content=cloud.certificates.ca,
        dest=cloud.ca_file,
        mode="644",
        directory=True,
    )
    trust.authorities(
        name="Trust the cloud's CA",
        certificates=tls.authorities(cloud),
        anchor=node.path("ca-anchor"),
        bundle=node.path("ca-bundle"),
        update=node.path("ca-update"),
    )

if cloud.does("controller", host):
    for path in node.paths("api-defaults"):
        if cloud.api_address(host):
            config.file(
                name="Let the APIs' start scripts know of an address",
                src="templates/common/api-defaults.j2",
                dest=path,
                mode="644",
            )
        service.apart(
            name="Keep the APIs off haproxy's addresses",
            apis=cloud.api_units(host),
            address=cloud.api_address(host),
            proxy=node.unit("loadbalancer/proxy"),
        )
