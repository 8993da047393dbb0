"""The scripts that an EL host runs: with gpg, and stand-ins for rpm and yum that keep packages as files."""

import shutil
import subprocess

import pytest
from pyinfra.context import ctx_host, ctx_state
from pyinfra_testing.util import FakeState, create_host

from facts.reading import Unreadable
from operations import repositories
from operations.packages import RPMS
from operations.repositories import KEY

# A package is a file named like it, with EPOCH:VERSION-RELEASE in it; "name:virtual" provides something.
RPM = r"""#!/bin/sh
cd "$ROOT/installed"
case "$*" in
    *--import*) echo "$2" >>"$ROOT/imported" ;;
    -qa*) cat "$ROOT/twice" 2>/dev/null; exit 0 ;;
    *--whatprovides*) for name; do :; done; ls "$name" *:"$name" 2>/dev/null | grep -q . ;;
    *) for name; do :; done; cat "$name" ;;
esac
"""
# Installs what $ROOT/available has (NAME EVR lines, oldest first), less what is excluded.
YUM = r"""#!/bin/sh
echo "$*" >>"$ROOT/yum.log"
exclude=" " verb=''
if [ -f "$ROOT/busy" ]; then rm "$ROOT/busy"; exit 200; fi
for word; do
    case $word in
        --exclude=*) exclude=",${word#*=}," ;;
        -*) ;;
        list | install | downgrade) verb=$word ;;
        available) [ "$verb" = list ] || exit 9 ;;
        *) [ "$verb" != list ] || continue
            build=$(while read -r name evr; do
                case $exclude in *",$name-$evr.noarch,"*) continue ;; esac
                build=${evr#*:}
                case $word in "$name" | "$name-$build" | "$name-${build%-*}") echo "$name $evr" ;; esac
            done <"$ROOT/available" | tail -n 1)
            if [ -z "$build" ]; then echo "No match for argument: $word" >&2; exit 1; fi
            [ -n "$YUM3" ] && [ "$verb" = install ] && [ -f "$ROOT/installed/${build% *}" ] && continue
            echo "${build#* }" >"$ROOT/installed/${build% *}" ;;
    esac
done
[ "$verb" = list ] || exit 0
echo "Available Packages"
sed 's/ /.noarch     /; s/$/   repo/' "$ROOT/available"
"""
AVAILABLE = "api 1:1.0-1\napi 1:2.0-1\napi 1:3.0-1\ntool 0:1.0-1\ntool 0:2.0-1\n"


@pytest.fixture
def root(tmp_path):
    (tmp_path / "installed").mkdir()
    (tmp_path / "bin").mkdir()
    (tmp_path / "available").write_text(AVAILABLE)
    for name, text in (("rpm", RPM), ("dnf-3", YUM)):
        (tmp_path / "bin" / name).write_text(text)
        (tmp_path / "bin" / name).chmod(0o755)
    (tmp_path / "bin" / "yum").symlink_to("dnf-3")
    (tmp_path / "bin" / "sleep").symlink_to("/bin/true")
    return tmp_path


def sh(root, script, *arguments, stdin="", **environment):
    for path in ("/run/lock/", "/var/log/"):
        script = script.replace(path, f"{root}/")
    path = f"{root}/bin:/usr/local/bin:/usr/bin:/bin"
    return subprocess.run(
        ["sh", "-c", script, "test", *arguments],
        env={"PATH": path, "ROOT": str(root), **environment},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
    )


def installed(root):
    return {path.name: path.read_text().strip() for path in (root / "installed").iterdir()}


def asked(root):
    """What yum was asked to install or to downgrade, without its options."""
    lines = (root / "yum.log").read_text().splitlines() if (root / "yum.log").exists() else []
    words = [[word for word in line.split() if not word.startswith("-")] for line in lines]
    return [line for line in words if line[0] != "list"]


def test_what_is_missing_in_one_transaction(root):
    (root / "installed" / "api").write_text("1:1.0-1")
    assert sh(root, RPMS, "--", "api", "tool").returncode == 0
    # The newer build of what is there does not come.
    assert installed(root) == {"api": "1:1.0-1", "tool": "0:2.0-1"}
    assert asked(root) == [["install", "tool"]]
    assert sh(root, RPMS, "--", "api", "tool").stdout == "all packages are installed by now\n"
    assert len(asked(root)) == 1


def test_a_virtual_name_settles(root):
    (root / "installed" / "postfix:mta").write_text("0:1-1")
    assert sh(root, RPMS, "--", "mta").returncode == 0
    assert asked(root) == []


@pytest.mark.parametrize("pin", ["2.0", "2.0-1", "1:2.0", "1:2.0-1"])
@pytest.mark.parametrize("before", [None, "1:1.0-1", "1:3.0-1"])
@pytest.mark.parametrize("old", ["", "yes"])
def test_a_pin_is_met_from_everywhere(root, pin, before, old):
    if old:
        (root / "bin" / "yum").unlink()
        (root / "bin" / "dnf-3").rename(root / "bin" / "yum")
    if before:
        (root / "installed" / "api").write_text(before)
    result = sh(root, RPMS, f"api={pin}", "--", "api", "tool", YUM3=old)
    assert result.returncode == 0, result.stderr
    assert installed(root) == {"api": "1:2.0-1", "tool": "0:2.0-1"}
    log = (root / "yum.log").read_text()
    assert "--exclude=api-1:1.0-1.noarch,api-1:3.0-1.noarch" in log
    assert ("--setopt=skip_missing_names_on_install=0" in log) is bool(old)
    assert "nogpgcheck" not in log


def test_a_pinned_package_that_nothing_needs_does_not_come(root):
    assert sh(root, RPMS, "api=2.0", "--", "tool").returncode == 0
    assert list(installed(root)) == ["tool"]


def test_what_is_missing_everywhere_is_named(root):
    result = sh(root, RPMS, "--", "nosuch", "tool")
    assert result.returncode == 1
    assert "No match for argument: nosuch" in result.stderr
    assert "not installed: nosuch tool (yum's status is 1; " in result.stderr


def test_another_yum_is_waited_for(root):
    (root / "busy").touch()
    result = sh(root, RPMS, "--", "tool")
    assert result.returncode == 0
    assert "waited for another yum or dnf, 1200 seconds at most" in result.stderr


def test_what_a_power_cut_left_is_refused_with_the_cure(root):
    (root / "twice").write_text("kernel.x86_64\nkernel.x86_64\ntool.noarch\ntool.noarch\n")
    result = sh(root, RPMS, "--", "api")
    assert result.returncode == 1
    assert "installed twice, as a yum that was cut off leaves them: tool.noarch\n" in result.stderr
    assert "dnf remove --duplicates" in result.stderr
    assert asked(root) == []


# -- keys


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Two keys: [(text, fingerprint), …]."""
    if not shutil.which("gpg"):
        pytest.skip("gpg is not installed")
    made = []
    for name in ("right", "wrong"):
        home = tmp_path_factory.mktemp(name)
        home.chmod(0o700)
        gpg = ["gpg", "--homedir", str(home), "--batch", "--passphrase", ""]
        quiet = {"check": True, "capture_output": True, "text": True}
        subprocess.run([*gpg, "--quick-generate-key", name, "ed25519", "sign", "never"], **quiet)
        text = subprocess.run([*gpg, "--armor", "--export"], **quiet).stdout
        shown = subprocess.run([*gpg, "--with-colons", "--fingerprint"], **quiet).stdout
        made.append((text, next(line for line in shown.splitlines() if line.startswith("fpr")).split(":")[9]))
    return made


def test_the_declared_key_is_written_and_imported(root, keys):
    (text, fingerprint), _ = keys
    file = root / "rpm-gpg" / "KEY"
    result = sh(root, KEY, str(file), fingerprint, "stdin", stdin=text)
    assert result.returncode == 0, result.stderr
    assert (file.read_text(), oct(file.stat().st_mode)) == (text, "0o100644")
    assert (root / "imported").read_text() == f"{file}\n"
    # Once more from the file itself, as after a run that was killed before the import.
    assert sh(root, KEY, str(file), fingerprint, "").returncode == 0
    assert [path.name for path in file.parent.iterdir()] == ["KEY"]


def test_any_other_key_is_refused(root, keys):
    (right, fingerprint), (wrong, other) = keys
    file = root / "KEY"
    for text, found in ((wrong, other), ("hello", "(no key)"), (right + wrong, other)):
        result = sh(root, KEY, str(file), fingerprint, "stdin", stdin=text)
        assert result.returncode == 1
        assert f"yum_keys: {file}: the text or file given for it has the fingerprint " in result.stderr
        assert found in result.stderr
        assert f"{fingerprint}; it was not imported" in result.stderr
    assert not file.exists()
    assert not (root / "imported").exists()


# -- repositories that do not answer


@pytest.fixture
def ask(monkeypatch):
    """A function: what the operation says when these do not answer (all asked are noted)."""

    def ask(answer, **arguments):
        state, said, questions = FakeState(), [], []
        state.is_executing = True
        host = create_host(state)

        def read(fact, **given):
            if fact.__name__ == "MissingRpms":
                return ["chrony"]
            questions.append(given["repositories"])
            return answer

        monkeypatch.setattr(repositories, "read", read)
        monkeypatch.setattr(repositories, "fail", said.append)
        with ctx_state.use(state), ctx_host.use(host):
            list(repositories.reachable._inner(packages=["chrony"], **arguments))
        return said, questions

    return ask


def test_every_silent_repository_is_named_with_its_url_and_reason(ask):
    declared = {
        "a": {"baseurl": "http://a/", "gpgcheck": False},
        "b": {"metalink": "http://b/", "gpgcheck": False},
        "off": {"enabled": False},
    }
    reasons = {"a": "Curl error (7): Couldn't connect", "epel": "Error: Unknown repo: 'epel'"}
    said, questions = ask(reasons, repositories=declared, shipped=["epel"])
    assert questions == [["epel", "a", "b"]]
    assert said == [
        "repositories that do not answer; nothing was installed:"
        "\n  - a (http://a/): Curl error (7): Couldn't connect"
        "\n  - epel: Error: Unknown repo: 'epel'"
    ]


def test_repositories_that_answer(ask):
    assert ask({}, repositories={"crb": {}}) == ([], [["crb"]])


def test_no_answer_at_all_is_no_yes(ask):
    assert ask(Unreadable("timed out"), repositories={"crb": {}})[0] == [
        "the repositories can't be asked: timed out"
    ]
