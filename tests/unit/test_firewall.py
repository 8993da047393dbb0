"""Which ports a host's roles need open."""

import clouds
import pytest

from cloud.firewall import missing, openings

ONE = {"provider_interface": "eth1"}
HOSTS = {
    "ctl": (["controller"], {"ssh_hostname": "192.168.56.11"}),
    "db": (["database"], {"ssh_hostname": "192.168.56.21"}),
    "net": (["network"], {"ssh_hostname": "192.168.56.31", "tunnel_address": "10.0.0.31", **ONE}),
    "cmp1": (["compute"], {"ssh_hostname": "192.168.56.41"}),
    "cmp2": (["compute", "storage"], {"ssh_hostname": "192.168.56.42", "volume_devices": ["/dev/sdb"]}),
}


@pytest.fixture
def of(tmp_path):
    """A function: a host's openings."""

    def of(host, hosts=HOSTS, **settings):
        cloud = clouds.cloud(tmp_path, hosts, **settings)
        return openings(cloud, cloud.node(host))

    return of


def test_a_controller(of):
    (wanted,) = of("ctl").values()
    assert sorted(wanted) == sorted(
        [f"{port}/tcp" for port in (5000, 9292, 8778, 8774, 9696, 8776, 8775, 6080, 80)] + ["123/udp"]
    )


def test_the_database(of):
    # No cluster: what RabbitMQ's nodes tell each other stays closed.
    assert of("db") == {"192.168.56.21": ["3306/tcp", "5672/tcp", "11211/tcp"]}


def test_a_member_of_the_databases_cluster(of):
    assert of("db1", clouds.CLUSTER_HOSTS, **clouds.VIRTUAL) == {
        "192.168.56.21": [
            *("3306/tcp", "5672/tcp", "11211/tcp", "4567/tcp"),
            *("4369/tcp", "25672/tcp", "4567/udp", "4568/tcp", "4444/tcp"),
        ]
    }


def test_tunnels_come_in_at_their_own_address(of):
    assert of("net") == {"192.168.56.31": [], "10.0.0.31": ["4789/udp"]}
    provider = {name: (roles, {**data, **ONE}) for name, (roles, data) in HOSTS.items()}
    assert of("net", provider, self_service_networks=False) == {"192.168.56.31": []}


def test_compute_and_storage(of):
    migration = ["16514/tcp", "49152-49215/tcp"]
    assert of("cmp1") == {"192.168.56.41": ["5900-5999/tcp", *migration, "4789/udp"]}
    assert of("cmp2") == {"192.168.56.42": ["5900-5999/tcp", *migration, "3260/tcp", "4789/udp"]}


def test_a_single_compute_host_migrates_nothing(of):
    assert of("compute", clouds.HOSTS) == {"192.168.56.12": ["5900-5999/tcp", "4789/udp"]}


def test_all_roles_on_one_host_open_each_port_once(of):
    one = {
        "one": (
            ["controller", "compute", "storage"],
            {"ssh_hostname": "192.168.56.11", "volume_devices": ["/dev/sdb"], **ONE},
        )
    }
    (wanted,) = of("one", one).values()
    assert len(set(wanted)) == len(wanted)
    assert {"3306/tcp", "5000/tcp", "3260/tcp", "4789/udp", "123/udp"} <= set(wanted)


def test_load_balancers_hold_an_address_together(of):
    balancers = {
        f"lb{n}": (["loadbalancer"], {"ssh_hostname": f"192.168.56.6{n}", "interface": "eth0"})
        for n in (1, 2)
    }
    (wanted,) = of("lb1", {**HOSTS, **balancers}, virtual_address="192.168.56.240").values()
    assert {"3306/tcp", "5672/tcp", "11211/tcp", "5000/tcp", "vrrp"} <= set(wanted)


def test_the_package_comes_with_the_choice(tmp_path):
    assert "firewalld" not in clouds.cloud(tmp_path).packages("compute")
    assert "firewalld" in clouds.cloud(tmp_path, firewall="on").packages("compute")
    assert "firewalld" not in clouds.cloud(tmp_path, firewall="off").packages("compute")


@pytest.mark.parametrize(
    ("wanted", "there", "lacking"),
    [
        (["80/tcp"], [], ["80/tcp"]),
        (["80/tcp"], ["80/tcp"], []),
        (["80/tcp"], ["80/udp"], ["80/tcp"]),
        (["80/tcp"], ["1-1024/tcp"], []),
        (["5900-5999/tcp"], ["5900-5950/tcp"], ["5900-5999/tcp"]),
        (["5900-5999/tcp"], ["5900-6100/tcp"], []),
        (["vrrp"], ["80/tcp"], ["vrrp"]),
        (["vrrp"], ["vrrp"], []),
        (["80/tcp", "443/tcp", "80/tcp"], [], ["80/tcp", "443/tcp"]),
        (["22/tcp"], [], ["22/tcp"]),
    ],
)
def test_what_is_missing(wanted, there, lacking):
    assert missing(wanted, there) == lacking


def test_the_service_of_ssh_is_its_usual_port_only():
    assert missing(["22/tcp", "2222/tcp"], [], ssh=True) == ["2222/tcp"]
