"""packstack's files, its run, and the settings for it."""

import logging
import subprocess
import tomllib
from textwrap import dedent

import clouds
import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.operations import FakeState
from pyinfra_testing.util import create_host

from cloud import expected, inputs, packstack, secrets, verify
from cloud.templates import render
from cloud.verdict import Answers
from facts.config import ConfigFile, File
from facts.packstack import PackstackRun, Run
from facts.reading import Unreadable
from operations import packstack as operations

# As packstack writes it, with the NUL that its documentation has.
FILE = dedent("""\
    [general]

    # Default password to be used everywhere (overridden by passwords set
    # for individual services or users). CONFIG_DEFAULT_PASSWORD=no
    CONFIG_DEFAULT_PASSWORD=

    # Specify 'y'\0 to install OpenStack Object Storage (swift). ['y', 'n']
    CONFIG_SWIFT_INSTALL=y

    # Comma-separated list of NTP servers.
    CONFIG_NTP_SERVERS=

    EXCLUDE_SERVERS=

    CONFIG_SERVICE_WORKERS=%{::processorcount}
    CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS=extnet:br-ex
    CONFIG_KEYSTONE_ADMIN_PW=1f0e4c6b3f504fd3

    CONFIG_HEAT_DB_PW=PW_PLACEHOLDER
""")

# -- answers


@pytest.mark.parametrize(
    "value",
    [
        "physnet1:br-ex",
        "a = b",
        "with  two blanks",
        "50%",
        "%(x)s",
        "$HOME `id` \\1 \\g<0>",
        'it\'s "so"',
        "#no comment",
        "",
    ],
)
def test_an_answer_is_written_as_it_is(value):
    answers = {"CONFIG_NTP_SERVERS": value}
    merged = packstack.merge(FILE, answers)
    assert merged == FILE.replace("CONFIG_NTP_SERVERS=", f"CONFIG_NTP_SERVERS={value}")
    assert packstack.merge(merged, answers) == merged
    assert packstack.parse(merged)["CONFIG_NTP_SERVERS"] == value


def test_without_a_difference_nothing_is_rewritten():
    by_hand = FILE.replace("SWIFT_INSTALL=y", "SWIFT_INSTALL = y").removesuffix("\n") + "\r\n"
    assert packstack.merge(by_hand, {"CONFIG_SWIFT_INSTALL": "y"}) == by_hand


def test_the_lines_that_continue_a_value_go_with_it():
    by_hand = FILE.replace("NTP_SERVERS=", "NTP_SERVERS=192.0.2.1,\n  192.0.2.2,\n\t192.0.2.3")
    assert packstack.parse(by_hand)["CONFIG_NTP_SERVERS"] == "192.0.2.1,\n192.0.2.2,\n192.0.2.3"
    merged = packstack.merge(by_hand, {"CONFIG_NTP_SERVERS": "192.0.2.9"})
    assert merged == FILE.replace("NTP_SERVERS=", "NTP_SERVERS=192.0.2.9")


@pytest.mark.parametrize(
    ("text", "answers", "message"),
    [
        (
            FILE,
            {"CONFIG_NTP_SERVER": "x"},
            "has no option CONFIG_NTP_SERVER; the nearest one is .*_NTP_SERVERS",
        ),
        (FILE, {"CONFIG_SWIFT_INSTALL": "n", "A": "x", "B": "x"}, "has no option A.*has no option B"),
        (FILE + "config_ntp_servers=\n", {"CONFIG_NTP_SERVERS": "x"}, "has CONFIG_NTP_SERVERS 2 times"),
        ("", {"CONFIG_NTP_SERVERS": "secret"}, "^has no option CONFIG_NTP_SERVERS$"),
        # A comment is no option.
        ("[general]\n#CONFIG_A=1\n", {"CONFIG_A": "x"}, "has no option CONFIG_A"),
    ],
)
def test_what_the_file_does_not_have_is_an_error(text, answers, message):
    with pytest.raises(ValueError, match=message):
        packstack.merge(text, answers)


def test_what_changed_is_named():
    after = packstack.merge(FILE, {"CONFIG_SWIFT_INSTALL": "n", "CONFIG_KEYSTONE_ADMIN_PW": "x"})
    assert packstack.changed(FILE, after) == ["CONFIG_SWIFT_INSTALL", "CONFIG_KEYSTONE_ADMIN_PW"]
    assert packstack.changed(FILE, "# a remark\n" + FILE) == []
    assert packstack.changed(FILE, FILE + "CONFIG_NEW=\n") == ["CONFIG_NEW"]


# Of packstack 26.0.0 (MASK_INPUT, less names and paths), and of the release that OSP 10 has.
SECRETS = [
    "DEFAULT_PASSWORD", "VCENTER_PASSWORD", "RH_PW", "RH_PROXY_PW", "SATELLITE_PW", "SATELLITE_AKEY",
    "SATELLITE_PROXY_PW", "AMQP_AUTH_PASSWORD", "MARIADB_PW", "KEYSTONE_DB_PW", "KEYSTONE_ADMIN_PW",
    "KEYSTONE_DEMO_PW", "KEYSTONE_LDAP_USER_PASSWORD", "GLANCE_DB_PW", "GLANCE_KS_PW", "CINDER_DB_PW",
    "CINDER_KS_PW", "CINDER_NETAPP_PASSWORD", "CINDER_NETAPP_SA_PASSWORD", "CINDER_SOLIDFIRE_PASSWORD",
    "IRONIC_DB_PW", "IRONIC_KS_PW", "NOVA_DB_PW", "NOVA_KS_PW", "NEUTRON_KS_PW", "NEUTRON_DB_PW",
    "NEUTRON_METADATA_PW", "MANILA_DB_PW", "MANILA_KS_PW", "MANILA_NETAPP_PASSWORD", "HORIZON_SECRET_KEY",
    "SWIFT_KS_PW", "SWIFT_HASH", "HEAT_DB_PW", "HEAT_AUTH_ENC_KEY", "HEAT_KS_PW", "HEAT_DOMAIN_PASSWORD",
    "PROVISION_TEMPEST_USER_PW", "GNOCCHI_DB_PW", "GNOCCHI_KS_PW", "CEILOMETER_SECRET", "CEILOMETER_KS_PW",
    "AODH_KS_PW", "AODH_DB_PW", "TROVE_DB_PW", "TROVE_KS_PW", "TROVE_NOVA_PW", "MAGNUM_DB_PW",
    "MAGNUM_KS_PW", "RH_SAT6_KEY", "MANILA_SERVICE_INSTANCE_PASSWORD", "KEYSTONE_ADMIN_TOKEN",
    "AMQP_NSS_CERTDB_PW", "SAHARA_DB_PW",
]  # fmt: skip
NONE = [
    "SSH_KEY", "HORIZON_SSL_KEY", "VNC_SSL_KEY", "SSL_CACERT_KEY_FILE", "KEYSTONE_TOKEN_FORMAT",
    "KEYSTONE_API_VERSION", "KEYSTONE_FERNET_TOKEN_ROTATE_ENABLE", "KEYSTONE_LDAP_USER_PASS_ATTRIBUTE",
    "NOVA_PCI_PASSTHROUGH_WHITELIST", "MANILA_GLUSTERFS_PATH_TO_PRIVATE_KEY",
]  # fmt: skip


def test_which_options_are_secrets():
    assert [name for name in SECRETS if not packstack.is_secret(f"CONFIG_{name}")] == []
    assert [name for name in NONE if packstack.is_secret(f"CONFIG_{name}")] == []


@pytest.mark.parametrize(
    ("answers", "secret", "message"),
    [
        ({"ntp_servers": "x"}, {}, "'ntp_servers' is no name of an option"),
        ({"CONFIG_A B": "x"}, {}, "is no name of an option"),
        ({"CONFIG_A": "x\ny"}, {}, "CONFIG_A: an answer is one line"),
        ({"CONFIG_A": "x "}, {}, "CONFIG_A: an answer is one line"),
        ({"CONFIG_A": "x ;y"}, {}, "CONFIG_A: an answer is one line"),
        ({}, {"CONFIG_A_PW": "x\r"}, "CONFIG_A_PW: an answer is one line"),
        ({"CONFIG_A_PW": "hunter2"}, {}, "CONFIG_A_PW is a secret: put it into secrets.toml"),
        ({"CONFIG_A_PW": "hunter2"}, {"CONFIG_A_PW": "hunter3"}, "CONFIG_A_PW is in secrets.toml, too"),
    ],
)
def test_wrong_answers(answers, secret, message):
    found = packstack.problems(answers, secret)
    assert len(found) == 1
    assert message in found[0]
    assert "hunter" not in found[0]


def test_right_answers():
    answers = {"CONFIG_A": "physnet1:br-ex", "CONFIG_A_PW": "", "CONFIG_B_PW": "PW_PLACEHOLDER"}
    assert packstack.problems({**answers, "EXCLUDE_SERVERS": "a;b"}, {"CONFIG_C_PW": "%it's;'"}) == []


# -- a run


@pytest.mark.parametrize(
    ("found", "after", "reason"),
    [
        ([], FILE, "it has not run yet"),
        (["done"], FILE, None),
        (["done"], FILE + "# a remark\n", None),
        (["done"], FILE + "CONFIG_B=\n", "answers have changed since it succeeded: CONFIG_B"),
        (["failed", "done"], FILE, "the last run failed"),
        (["failed"], FILE + "CONFIG_B=\n", "the last run failed; changed since: CONFIG_B"),
        (["given", "failed", "done"], FILE, "the last run was cut off before its end"),
    ],
)
def test_why_packstack_runs(found, after, reason):
    assert packstack.reason(found, FILE, after) == reason


def test_what_packstack_says():
    log = [
        "Welcome to the Packstack setup utility",
        "",
        "Preparing Nova API entries                           [ \x1b[32mDONE\x1b[0m ]",
        "\rTesting if puppet apply is finished: 10.0.0.1_controller [ - ]\r10.0.0.1_controller:     [ DONE ]",
    ]
    assert packstack.spoken(log) == [
        "Welcome to the Packstack setup utility",
        "Preparing Nova API entries: DONE",
        "10.0.0.1_controller: DONE",
    ]
    assert [packstack.elapsed(seconds) for seconds in (0, 59.9, 60, 3725)] == [
        "0:00",
        "0:59",
        "1:00",
        "62:05",
    ]


def test_which_lines_name_a_step():
    named = [
        "Pre installing Puppet and discovering hosts' details: DONE",
        "10.0.0.1_controller: ERROR",
        "Applying 10.0.0.1_controller.pp",
        " **** Installation completed successfully ******",
    ]
    others = ["ERROR : + mysql --password=x: DONE", " * The installation log file is x", "+ export PW=x", ""]
    assert packstack.steps([*others, *named]) == [*named[:3], "Installation completed successfully"]


def test_the_longest_secret_is_masked_first():
    assert packstack.masked("pw pwd pwdx", {"pw", "pwdx"}) == "******** ********d ********"
    assert packstack.secrets_in(FILE, "CONFIG_A_PW=x\n") == {"1f0e4c6b3f504fd3", "x"}


class Controller:
    """Stands in for the host: its files, and what each look at packstack finds."""

    def __init__(self):
        self.files = {"/root/answer.ini": FILE}
        self.looks = []
        self.clock = 0.0

    def read(self, fact, *, stdin=None, **arguments):
        if fact is ConfigFile:
            path = arguments["path"]
            if path not in self.files:
                return File(path, directory=True, exists=False)
            return File(path, True, True, "600", "root", "root", self.files[path])
        assert fact is PackstackRun
        found = self.looks.pop(0)
        return found() if callable(found) else found

    def sleep(self, seconds):
        self.clock += seconds

    def record(self, name, text=FILE):
        def look():
            self.files[f"{operations.FOLDER}/{name}"] = text
            return Run(False, **{name: 5})

        return look


@pytest.fixture
def controller(monkeypatch):
    fake = Controller()
    monkeypatch.setattr(operations, "read", fake.read)
    monkeypatch.setattr(operations.gevent, "sleep", fake.sleep)
    monkeypatch.setattr(operations.time, "monotonic", lambda: fake.clock)
    monkeypatch.setattr(operations, "_connect", lambda: True)
    return fake


@pytest.fixture
def run(caplog):
    """A function that runs the operation; gives its commands, and what it said."""
    state = FakeState()
    state.is_executing = True

    def run(minutes=120, **arguments):
        caplog.clear()
        host = create_host(state)
        done = []
        with (
            ctx_state.use(state),
            ctx_host.use(host),
            caplog.at_level(logging.INFO, logger="pyinfra"),
        ):
            for command in operations.ran._inner("/root/answer.ini", minutes, **arguments):
                if hasattr(command, "function"):
                    done.append(command.function(state, host, *command.args, **command.kwargs))
                else:
                    done.append(str(command.get_raw_value()))
        return done, [record.getMessage().strip() for record in caplog.records]

    run.state = state
    return run


def running(age=1, log=(), size=10):
    return Run(True, given=age, size=size, log=list(log))


def test_a_run_is_started_and_followed(controller, run):
    controller.looks = [
        Run(False),
        running(log=["Preparing servers [ DONE ]"]),
        running(2, size=10),
        Run(False, done=3, size=30, log=[" **** Installation completed"]),
        controller.record("done"),
    ]
    done, said = run()
    assert len(done) == 1
    assert "systemd-run --unit=openstack-packstack " in done[0]
    assert [line.rpartition("] ")[2] for line in said] == [
        "packstack runs: it has not run yet",
        "packstack, 0:01: Preparing servers: DONE",
        "packstack, 0:03: Installation completed",
    ]


def test_after_a_success_there_is_nothing_to_do(controller, run):
    controller.looks = [controller.record("done")]
    controller.files[f"{operations.FOLDER}/done"] = FILE
    assert run() == ([], [])


def test_a_run_that_is_under_way_is_followed_and_its_answers_are_compared(controller, run):
    """It had other answers: it runs again, once."""
    controller.files[f"{operations.FOLDER}/given"] = FILE + "CONFIG_B=1\n"
    controller.looks = [
        running(61),
        Run(False, done=62),
        controller.record("done", FILE + "CONFIG_B=1\n"),
        Run(False, done=1),
        controller.record("done"),
    ]
    done, said = run()
    assert len(done) == 1
    assert "packstack has been running for 1:01: followed from here on" in said[0]
    assert "packstack runs: answers have changed since it succeeded: CONFIG_B" in said[1]


def test_the_last_words_of_a_failure_are_shown_without_secrets(controller, run):
    controller.files[f"{operations.FOLDER}/given"] = FILE
    controller.files[f"{operations.FOLDER}/resolved"] = FILE.replace("PW_PLACEHOLDER", "made")
    controller.looks = [
        running(),
        Run(
            False,
            failed=75,
            size=10,
            log=["+ mysql -p1f0e4c6b3f504fd3 -pmade -phunter2", "\x1b[31mERROR\x1b[0m"],
        ),
    ]
    done, said = run(secrets=["hunter2"])
    assert done == [False]
    assert "after 1:15. Its last words:\n    + mysql -p******** -p******** -p********" in said[-1]
    assert "    ERROR\n" in said[-1]
    assert operations.LOG in said[-1]


def test_a_run_that_was_cut_off_while_it_was_followed(controller, run):
    controller.files[f"{operations.FOLDER}/given"] = FILE
    controller.looks = [running(), running(), Unreadable("no route"), Run(False, given=40, size=10)]
    done, said = run()
    assert done == [False]
    assert "packstack was cut off after 0:40" in said[-1]


def test_a_limit_leaves_the_run_alone(controller, run):
    controller.files[f"{operations.FOLDER}/given"] = FILE
    controller.looks = [running(), *(running(second * 10) for second in range(1, 100))]
    done, said = run(minutes=1)
    assert done == [False]
    assert "still running after 1 minutes (packstack_timeout)" in said[-1]
    assert f"tail -f {operations.LOG}" in said[-1]
    # At a bounded pace, and not silent either.
    assert 60 < controller.clock < 80


def test_a_silent_run_is_told_of_each_minute(controller, run):
    controller.files[f"{operations.FOLDER}/given"] = FILE
    controller.looks = [running(), running(1, ["Applying a.pp"]), *(running(1000) for _ in range(40))]
    controller.looks += [Run(False, done=1, size=10), controller.record("done")]
    _, said = run()
    assert len([line for line in said if "Applying a.pp" in line]) == 1 + 400 // 70


def test_a_host_that_stays_away(controller, run):
    controller.files[f"{operations.FOLDER}/given"] = FILE
    controller.looks = [running(), running(), *(Unreadable("no route") for _ in range(400))]
    done, said = run()
    assert done == [False]
    assert "not reached for 600 seconds (no route): it goes on" in said[-1]


def test_nothing_is_asked_without_a_connection(controller, run, monkeypatch):
    controller.files[f"{operations.FOLDER}/given"] = FILE
    controller.looks = [
        running(),
        Unreadable("EOFError"),
        Run(False, done=9, size=10),
        controller.record("done"),
    ]
    tries = iter([False, False, True])
    monkeypatch.setattr(operations, "_connect", lambda: next(tries))
    assert run()[0] == []
    assert list(tries) == []


def test_a_unit_that_leaves_no_record(controller, run):
    controller.looks = [Run(False)] * 5
    done, said = run()
    assert [bool(item) for item in done] == [True, True, False]
    assert "ended without a record" in said[-1]


def test_while_the_plan_is_made_nothing_is_followed(controller, run):
    run.state.is_executing = False
    controller.looks = [Run(False)]
    done, said = run()
    assert (len(done), said) == (1, [])
    controller.looks = [running()]
    controller.files[f"{operations.FOLDER}/given"] = FILE
    assert run() == ([], [])


def test_an_option_that_packstack_ignored_is_named(controller, run):
    controller.files[f"{operations.FOLDER}/resolved"] = FILE.replace("extnet", "other")
    controller.looks = [Run(False), Run(False, done=3), controller.record("done"), controller.record("done")]
    controller.files[f"{operations.FOLDER}/done"] = FILE
    _, said = run(declared=["CONFIG_SWIFT_INSTALL", "CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS"])
    assert "declared ones of CONFIG_NEUTRON_OVS_BRIDGE_MAPPINGS: they" in said[-1]


def test_every_host_lets_packstack_in_by_its_key(controller):
    """The key is read on the controller, and let in once."""
    key = "ssh-rsa AAAAB3 root@openstack"
    controller.files["/root/answer.ini"] = FILE + "CONFIG_SSH_KEY=/root/.ssh/id_rsa.pub\n"
    controller.files["/root/.ssh/id_rsa.pub"] = f"{key}\n"
    controller.files[operations.AUTHORIZED] = "ssh-ed25519 AAAA me\n"
    state = FakeState()
    state.is_executing = True
    with ctx_state.use(state), ctx_host.use(create_host(state)):
        assert list(operations.key_read._inner("/root/answer.ini")) == []
        commands = list(operations.let_in._inner())
        assert commands[-1].connector_arguments["_stdin"] == f"ssh-ed25519 AAAA me\n{key}\n"
        controller.files[operations.AUTHORIZED] = commands[-1].connector_arguments["_stdin"]
        assert list(operations.let_in._inner()) == []
        # One that packstack did not make, or that is not to be found.
        del controller.files["/root/.ssh/id_rsa.pub"]
        assert len(list(operations.key_read._inner("/root/answer.ini"))) == 1
        assert list(operations.let_in._inner()) == []


# -- what is left


@pytest.mark.parametrize(
    ("password", "quoted"),
    [
        ("1f0e4c6b3f504fd3", "'{}'"),
        ("SmartLyu", "{}"),
        ("it's", "'{}'"),
        ('a"b', '"{}"'),
        ("$HOME `id` \\ %", "'{}'"),
        ("a=b;c #d", "'{}'"),
    ],
)
def test_the_administrators_login(password, quoted):
    text = (
        "unset OS_SERVICE_TOKEN\n    export OS_USERNAME=admin\n"
        f"    export OS_PASSWORD={quoted.format(password)}\n"
        "export OS_AUTH_URL=http://192.0.2.1:5000/v2.0\nexport PS1='[\\u@\\h \\W(keystone_admin)]\\$ '\n"
        "export OS_TENANT_NAME=admin\n"
    )
    found = packstack.login(packstack.credentials(text), "RegionOne")
    assert found == {
        "auth_url": "http://192.0.2.1:5000/v3",
        "username": "admin",
        "password": password,
        "project_name": "admin",
        "user_domain_name": "Default",
        "project_domain_name": "Default",
        "region_name": "RegionOne",
    }


def test_a_login_that_is_incomplete():
    with pytest.raises(ValueError, match="has no OS_PASSWORD, OS_AUTH_URL"):
        packstack.credentials("export OS_USERNAME=admin\nexport OS_PASSWORD=''\n")


def test_a_shell_gets_the_login_as_it_is(tmp_path, controller):
    """The file that is written, sourced."""
    controller.files["/root/keystonerc_admin"] = (
        "export OS_USERNAME=admin\nexport OS_PASSWORD='it's $HOME'\nexport OS_AUTH_URL=http://192.0.2.1:5000/v3\n"
    )
    cloud = clouds.cloud(tmp_path, ONE, **PACKSTACK)
    state = FakeState()
    state.is_executing = True
    with ctx_state.use(state), ctx_host.use(create_host(state)):
        found = operations.login(cloud)
    text = render("templates/packstack/openrc.j2", login=found, shell=operations.quote)
    shown = subprocess.run(["sh", "-c", f'{text}\necho "$OS_PASSWORD"'], capture_output=True, text=True)
    assert shown.stdout == "it's $HOME\n"


VHOST = dedent("""\
    <VirtualHost *:80>
      ServerName openstack
      ## WSGI configuration
      WSGIDaemonProcess apache display-name=horizon
      WSGIProcessGroup apache
      WSGIScriptAlias /dashboard "/usr/share/django.wsgi"
    </VirtualHost>
""")
GROUP = "  WSGIApplicationGroup %{GLOBAL}\n"


def test_horizons_virtual_host():
    wanted = VHOST.replace("  WSGIProcessGroup apache\n", f"  WSGIProcessGroup apache\n{GROUP}")
    assert packstack.in_main_interpreter(VHOST) == wanted
    assert packstack.in_main_interpreter(wanted) == wanted


def test_a_directive_that_packstack_wrote_itself_is_not_doubled():
    already = VHOST.replace("  ## WSGI configuration\n", f"  ## WSGI configuration\n{GROUP}")
    assert packstack.in_main_interpreter(already) == already


def test_each_section_has_it_once():
    location = "  <Location /x>\n\tWSGIProcessGroup x\n\tWSGIProcessGroup y\n  </Location>\n"
    two = VHOST.replace("</VirtualHost>\n", f"{location}</VirtualHost>\n") + VHOST
    found = packstack.in_main_interpreter(two)
    assert found.count("WSGIApplicationGroup") == 3
    assert "\tWSGIProcessGroup x\n\tWSGIApplicationGroup %{GLOBAL}\n\tWSGIProcessGroup y\n" in found
    assert packstack.in_main_interpreter(found) == found


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no WSGIProcessGroup"),
        ("# WSGIProcessGroup apache\n", "has no WSGIProcessGroup"),
        (VHOST + "WSGIApplicationGroup horizon\n", "has WSGIApplicationGroup horizon in line 8"),
    ],
)
def test_a_virtual_host_that_is_not_understood(text, message):
    with pytest.raises(ValueError, match=message):
        packstack.in_main_interpreter(text)


# -- settings

PACKSTACK = {"deployed_by": "packstack", "platform": "el", "release": "caracal"}
ONE = {
    "openstack": (
        ["controller", "compute", "storage"],
        {"ssh_hostname": "192.168.56.11", "provider_interface": "eth1", "volume_devices": ["/dev/sdb"]},
    ),
    "nova": (["compute"], {"ssh_hostname": "192.168.56.12", "provider_interface": "eth1"}),
}


def packstack_cloud(folder, text="", **settings):
    path = folder / secrets.FILE_NAME
    path.touch(mode=0o600)
    path.write_text(text)
    return inputs.read(clouds.inventory(ONE, **{**PACKSTACK, **settings}), folder / "inventory.py")


def test_secrets_are_answers_under_their_own_names(tmp_path):
    cloud = packstack_cloud(
        tmp_path,
        'CONFIG_KEYSTONE_ADMIN_PW = "9d:4\'e$ %ae1f6"\n',
        packstack_answers={"CONFIG_SWIFT_INSTALL": "n"},
    )
    assert cloud.packstack_answers == {
        "CONFIG_SWIFT_INSTALL": "n",
        "CONFIG_KEYSTONE_ADMIN_PW": "9d:4'e$ %ae1f6",
    }
    assert "9d" not in repr(cloud)


def test_a_weak_answer_is_refused_unless_that_was_asked_for(tmp_path):
    weak = 'CONFIG_DEFAULT_PASSWORD = "SmartLyu"\n'
    with pytest.raises(inputs.InputError, match="secret CONFIG_DEFAULT_PASSWORD is shorter"):
        packstack_cloud(tmp_path, weak)
    cloud = packstack_cloud(tmp_path, weak, allow_weak_secrets=True)
    assert cloud.packstack_answers == {"CONFIG_DEFAULT_PASSWORD": "SmartLyu"}


@pytest.mark.parametrize("value", [None, 4, True, ["a"]])
def test_an_answer_is_a_text(tmp_path, value):
    with pytest.raises(inputs.InputError, match=r"packstack_answers\.CONFIG_SERVICE_WORKERS: .*valid string"):
        packstack_cloud(tmp_path, packstack_answers={"CONFIG_SERVICE_WORKERS": value})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"packstack_answers": {"CONFIG_A": "a\nb"}}, "CONFIG_A: an answer is one line"),
        ({"packstack_answers": {"CONFIG_A_PW": "abc"}}, "CONFIG_A_PW is a secret"),
        ({"platform": "debian", "release": "epoxy"}, "packstack is for platform 'el' only"),
        ({"packstack_answers": {"CONFIG_A": "a"}, "deployed_by": "tasks"}, "nobody asks"),
        ({"packstack_answer_file": "answer.ini"}, "packstack_answer_file"),
        ({"packstack_answer_file": "/root/"}, "packstack_answer_file"),
    ],
)
def test_settings_that_can_not_be(tmp_path, settings, message):
    with pytest.raises(inputs.InputError, match=message):
        packstack_cloud(tmp_path, **settings)


def test_add_keeps_answers_in_the_secrets(tmp_path):
    values = {"CONFIG_A_PW": 'a"\\ü'}
    assert tomllib.loads(secrets.generate(values))["CONFIG_A_PW"] == 'a"\\ü'


@pytest.mark.parametrize(
    # OSP 10's release is one that this project does not deploy itself.
    ("release", "python"),
    [("caracal", "python3-setuptools"), ("newton", "python-setuptools")],
)
def test_packages_of_the_notes(tmp_path, release, python):
    cloud = packstack_cloud(tmp_path, release=release)
    kvm = ["qemu-kvm", "libvirt-client", "libvirt-daemon", "libvirt-daemon-driver-qemu", python]
    assert cloud.packages("openstack") == [*kvm, "openstack-packstack", "lvm2"]
    assert cloud.packages("nova") == kvm


@pytest.mark.parametrize(
    ("deployed_by", "files", "refused"),
    [
        ("packstack", ["tasks/packstack.py", "tasks/verify.py"], None),
        ("packstack", ["deploy.py"], "deploy.py"),
        ("packstack", ["/somewhere/tasks/nova.py"], "nova.py"),
        ("packstack", ["mine.py"], None),
        ("tasks", ["deploy.py", "tasks/verify.py"], None),
        ("tasks", ["tasks/packstack.py"], "set deployed_by = 'packstack'"),
    ],
)
def test_tasks_that_do_not_go_with_packstack(deployed_by, files, refused):
    found = packstack.refusal(deployed_by, files)
    assert found is None if refused is None else refused in found


def test_what_verify_holds_packstack_to(tmp_path):
    cloud = packstack_cloud(tmp_path)
    assert expected.units(cloud, "openstack") == ["httpd", "openstack-nova-compute"]
    assert expected.units(cloud, "nova") == ["openstack-nova-compute"]
    agent = {"host": "nova", "name": "OVN Controller agent", "up": False, "enabled": True, "age": 1.0}
    api = {
        "neutron_agents": [agent, {**agent, "host": "openstack", "up": True}],
        "endpoints": [{"service": "keystone", "interface": "public", "url": "http://a:5000", "status": 503}],
    }
    report = verify.judge(cloud, Answers(api=api))
    found = {(c.section, c.host, c.check): c.ok for c in report.checks}
    assert not found["Network agents", "nova", "OVN Controller agent"]
    assert found["Network agents", "openstack", "OVN Controller agent"]
    assert not found["Endpoints", "openstack", "keystone public"]
    assert not {"Schemas", "Ports"} & {c.section for c in report.checks}
    assert [text for text in report.warnings if "agent" in text] == []
    silent = verify.judge(cloud, Answers(api="no token"))
    assert not {(c.section, c.ok) for c in silent.checks} & {("Network agents", True), ("Endpoints", True)}
