"""What several database hosts are told, and their clients."""

import clouds
import pytest

from cloud import render
from cloud.frontends import frontends
from cloud.galera_check import conversation
from cloud.ini import read_wanted


@pytest.fixture
def clusters(tmp_path):
    """A function: (the cloud, host -> path -> text)."""

    def clusters(hosts=clouds.CLUSTER_HOSTS, **settings):
        settings = {**clouds.VIRTUAL, **settings} if hosts is clouds.CLUSTER_HOSTS else settings
        cloud = clouds.cloud(tmp_path, hosts, **settings)
        others = [h for h in clouds.inventory(hosts, **settings) if "loadbalancer" not in h.groups]
        found = render.render(others, cloud)
        return cloud, {host: recorder.files for host, recorder in found.items()}

    return clusters


@pytest.mark.parametrize(
    ("platform", "release", "path", "provider"),
    [
        ("debian", "epoxy", "/etc/mysql/mariadb.conf.d/99-openstack.cnf", "/usr/lib/galera/libgalera_smm.so"),
        ("el", "caracal", "/etc/my.cnf.d/openstack.cnf", "/usr/lib64/galera/libgalera_smm.so"),
    ],
)
def test_a_member_of_mariadbs_cluster(clusters, platform, release, path, provider):
    _, files = clusters(platform=platform, release=release)
    lines = files["db2"][path].splitlines()
    for line in (
        f"wsrep_provider = {provider}",
        "wsrep_cluster_address = gcomm://192.168.56.21,192.168.56.22,192.168.56.23",
        "wsrep_node_address = 192.168.56.22",
        "wsrep_sst_donor = db2,db3,",
        "binlog_format = ROW",
        "innodb_autoinc_lock_mode = 2",
        # No account with a password brings in a member.
        'wsrep_sst_auth = "mysql:"',
    ):
        assert line in lines
    (options,) = [line for line in lines if line.startswith("wsrep_provider_options")]
    listen = "gmcast.listen_addr=tcp://192.168.56.22:4567"
    assert options == f'wsrep_provider_options = "{listen};gcache.size=512M;gcache.recover=yes"'


def test_one_database_host_has_nothing_of_it(clusters):
    _, files = clusters(clouds.HOSTS)
    for text in files["controller"].values():
        for word in ("wsrep", "quorum", "pause_minority", "cluster_formation"):
            assert word not in text
    assert "/var/lib/rabbitmq/.erlang.cookie" not in files["controller"]


def test_the_members_of_rabbitmqs_cluster(clusters):
    cloud, files = clusters()
    text = files["db3"]["/etc/rabbitmq/rabbitmq.conf"]
    assert text.splitlines()[1:5] == [
        "cluster_formation.peer_discovery_backend = classic_config",
        "cluster_formation.classic_config.nodes.1 = rabbit@db1",
        "cluster_formation.classic_config.nodes.2 = rabbit@db2",
        "cluster_formation.classic_config.nodes.3 = rabbit@db3",
    ]
    assert "cluster_partition_handling = pause_minority\n" in text
    assert files["db1"]["/var/lib/rabbitmq/.erlang.cookie"] == f"{cloud.secret('rabbitmq_erlang_cookie')}\n"
    assert "USE_LONGNAME" not in files["db1"]["/etc/rabbitmq/rabbitmq-env.conf"]


def test_names_with_dots_are_long_ones(clusters):
    hosts = {name.replace("db", "db.example.org-"): host for name, host in clouds.CLUSTER_HOSTS.items()}
    _, files = clusters(hosts, **clouds.VIRTUAL)
    assert "USE_LONGNAME=true\n" in files["db.example.org-1"]["/etc/rabbitmq/rabbitmq-env.conf"]


@pytest.mark.parametrize(
    ("release", "options"),
    [
        ("zed", {"rabbit_quorum_queue"}),
        ("epoxy", {"rabbit_quorum_queue", "rabbit_transient_quorum_queue", "use_queue_manager"}),
    ],
)
def test_queues_are_kept_by_a_majority(clusters, release, options):
    _, files = clusters(release=release)
    for host, service in (("controller", "nova"), ("controller", "neutron"), ("compute", "nova")):
        wanted = read_wanted(files[host][f"/etc/{service}/{service}.conf"])["oslo_messaging_rabbit"]
        assert set(wanted) == options


def test_one_member_is_written_to(clusters):
    cloud, _ = clusters()
    fronts = {front.name: front for front in frontends(cloud)}
    assert not {"openstack_rabbit", "openstack_memcached"} & set(fronts)
    mysql = fronts["openstack_mysql"]
    assert mysql.backup
    assert not mysql.sticky
    lines = clouds.haproxy(cloud, "lb1")["openstack_mysql"]
    # A member that is not synced is not written to.
    assert all(f"tcp-check {step} {what}" in lines for step, what in conversation("haproxy"))
    assert "stick on dst" in lines
    servers = [line.split() for line in lines if line.startswith("server ")]
    assert [(server[1], server[-1]) for server in servers] == [
        ("mysql1", "5"),
        ("mysql2", "backup"),
        ("mysql3", "backup"),
    ]


def test_the_packets_that_ask_for_a_members_state():
    # Typed from the protocol: length, number, payload.
    assert list(conversation("haproxy")) == [
        ("expect string", "mysql_native_password"),
        ("send-binary", "29000001" + "01820000" + "00000001" + "21" + "00" * 23 + "686170726f787900" + "00"),
        ("expect binary", "0700000200000002"),
        ("send-binary", "34000000" + "03" + b"SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'".hex()),
        ("expect string", "Synced"),
        ("send-binary", "01000000" + "01"),
    ]
