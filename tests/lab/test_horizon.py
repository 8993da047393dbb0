"""Horizon as a person meets it: Chromium, through WebDriver, at the address that verify prints."""

from __future__ import annotations

import re
import shutil

import conftest
import pytest
from conftest import ROOT, command, pyinfra
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

SCREENSHOTS = ROOT / "build" / "screenshots"
LIMIT = 60  # seconds for a page: Horizon asks several APIs for each
HYPERVISORS = ("compute", "compute2")


class Horizon:
    """A browser with a session of its own.

    Args:
        address: Horizon's URL.
        profile: an empty folder for the browser.
    """

    def __init__(self, address, profile):
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for flag in (
            "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-sync",
            "disable-background-networking", "disable-component-update",
            # The lab is this machine's: no proxy knows the way there.
            "no-proxy-server", "window-size=1400,900", f"user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(f"--{flag}")
        self.address = address
        # Debian builds browser and driver from one source; without a path Selenium looks for one to download.
        self.browser = webdriver.Chrome(options, Service(shutil.which("chromedriver")))

    def wait(self, what, test):
        """Wait until ``test()`` is true; the failure says what for, and leaves a screenshot."""
        try:
            waiting = WebDriverWait(self.browser, LIMIT, ignored_exceptions=[StaleElementReferenceException])
            return waiting.until(lambda _: test())
        except Exception:
            self.screenshot("failed")
            pytest.fail(f"{what}: not within {LIMIT} s, at {self.browser.current_url}:\n{self.text()[:2000]}")

    def open(self, path):
        self.browser.get(f"{self.address.rstrip('/')}{path}")

    def find(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def shown(self, selector):
        return [element for element in self.find(selector) if element.is_displayed()]

    def text(self):
        # Between two pages there is none.
        return "".join(body.text for body in self.find("body"))

    def login(self, user, password):
        self.open("/")
        for field, value in (("domain", "Default"), ("username", user), ("password", password)):
            self.find(f"#id_{field}")[0].send_keys(value)
        self.find("#loginBtn")[0].click()

    def row(self, name):
        """The cells of the table's row that has ``name`` in one of them, in one text."""
        rows = [row.text.replace("\n", " ") for row in self.find("tbody tr")]
        return next((row for row in rows if name in row.split()), "")

    def screenshot(self, name):
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.browser.save_screenshot(SCREENSHOTS / f"{name}.png")


@pytest.fixture(scope="module")
def address():
    """Horizon's URL, once the demo instance runs and the browser is installed."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        apt = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "--no-install-recommends")
        command(*apt, "update", check=True)
        command(*apt, "install", "chromium", "chromium-driver", "fonts-dejavu-core", check=True)
    pyinfra("tasks/resources.py", "-y", check=True)
    return re.search(r"Horizon: +(http\S+)", pyinfra("tasks/verify.py", "-y", check=True).output)[1]


def session(address, tmp_path_factory, user, password):
    horizon = Horizon(address, tmp_path_factory.mktemp("chromium"))
    try:
        horizon.login(user, password)
        yield horizon
    finally:
        horizon.browser.quit()


@pytest.fixture(scope="module")
def demo(address, tmp_path_factory):
    yield from session(address, tmp_path_factory, "demo", conftest.secrets()["demo_password"])


@pytest.fixture(scope="module")
def admin(address, tmp_path_factory):
    yield from session(address, tmp_path_factory, "admin", conftest.secrets()["admin_password"])


@pytest.fixture
def stranger(address, tmp_path_factory):
    yield from session(address, tmp_path_factory, "demo", "not the password")


def test_demo_sees_the_project_s_instance(demo):
    demo.open("/project/instances/")
    demo.wait("hello-instance is Active", lambda: "Active" in demo.row("hello-instance"))
    demo.screenshot("instances")


def test_demo_sees_the_network_topology(demo):
    demo.open("/project/network_topology/")
    # Drawn by a script, from what it has asked for in the background.
    labels = "return [...document.querySelectorAll('svg text')].map(text => text.textContent.trim())"
    wanted = {"private", "provider", "router", "hello-instance"}
    demo.wait(
        f"the drawing names {', '.join(sorted(wanted))}",
        lambda: wanted <= set(demo.browser.execute_script(labels)),
    )
    demo.screenshot("network-topology")


def test_demo_sees_the_volume_attached_to_the_instance(demo):
    demo.open("/project/volumes/")
    demo.wait(
        "hello-volume is in use by hello-instance",
        lambda: {"In-use", "hello-instance"} <= set(demo.row("hello-volume").split()),
    )
    demo.screenshot("volumes")


def test_demo_opens_the_console_log(demo):
    demo.open("/project/instances/")
    demo.wait("hello-instance is listed", lambda: demo.row("hello-instance"))
    demo.browser.find_element(By.LINK_TEXT, "hello-instance").click()
    # The menu of actions has a link to the log too, which is hidden.
    demo.wait("the tab Log is there", lambda: demo.shown("a[href*='__log']"))
    demo.shown("a[href*='__log']")[0].click()
    demo.wait("the log ends its boot", lambda: any("TINY: done" in log.text for log in demo.find("pre")))
    demo.screenshot("console-log")


def test_admin_sees_both_hypervisors(admin):
    admin.open("/admin/hypervisors/")
    for name in HYPERVISORS:
        admin.wait(f"{name} is a hypervisor", lambda name=name: "QEMU" in admin.row(name))
    admin.screenshot("hypervisors")


def test_a_wrong_password_is_refused(stranger):
    stranger.wait("the refusal", lambda: "Invalid credentials" in stranger.text())
    assert "/auth/login/" in stranger.browser.current_url
    stranger.screenshot("wrong-password")
    stranger.open("/project/")
    assert "/auth/login/" in stranger.browser.current_url
