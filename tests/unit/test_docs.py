"""The documentation keeps up with the code."""

from pathlib import Path

from cloud import settings

ROOT = Path(__file__).parents[2]


def test_settings_page_is_current():
    text = (ROOT / "docs" / "settings.md").read_text()
    assert text == settings.page(), "run: python -m cloud.settings > docs/settings.md"


def test_every_setting_is_described():
    assert [name for _, name, _, description in settings.reference() if not description] == []
