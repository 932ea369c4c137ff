"""What makes the pages an app: the manifest, the icons and the service worker."""

import io
import re

import httpx
import pytest
from PIL import Image

from tests.people import PASSWORD, Person, soup
from todo.web import assets, installation


def test_manifest_leads_to_the_list_with_icons_of_the_sizes_it_names(anonymous: httpx.Client) -> None:
    response = anonymous.get("/manifest.webmanifest")
    assert response.headers["content-type"] == "application/manifest+json"
    manifest = response.json()
    assert (manifest["start_url"], manifest["scope"], manifest["display"]) == ("/list", "/", "standalone")
    assert {icon["sizes"] for icon in manifest["icons"]} == {"192x192", "512x512"}
    assert [icon["src"] for icon in manifest["icons"] if icon.get("purpose") == "maskable"]
    for icon in manifest["icons"]:
        answer = anonymous.get(icon["src"])
        assert answer.headers["content-type"] == icon["type"]
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert f"{picture.width}x{picture.height}" == icon["sizes"]
            assert (picture.mode == "RGB") is ("purpose" in icon)  # a system cuts the maskable one itself


def test_pages_link_to_the_manifest_and_the_icons_and_name_the_colours(anonymous: httpx.Client) -> None:
    page = soup(anonymous.get("/"))
    for relation in ("manifest", "apple-touch-icon", "icon"):
        (link,) = page.select(f"link[rel={relation}]")
        assert anonymous.get(str(link["href"])).status_code == 200
    sheet = (assets.FOLDER / "css" / "tokens.css").read_text(encoding="utf-8")
    colours = {str(tag["media"]): tag["content"] for tag in page.select("meta[name=theme-color]")}
    assert list(colours) == ["(prefers-color-scheme: light)", "(prefers-color-scheme: dark)"]
    assert len(set(colours.values())) == 2
    assert all(f"--ground: {colour}" in sheet for colour in colours.values())


def test_pages_load_a_small_icon(anonymous: httpx.Client) -> None:
    page = soup(anonymous.get("/"))
    (icon,), (brand,) = page.select("link[rel=icon]"), page.select(".brand img")
    assert icon["href"] == brand["src"]
    assert len(anonymous.get(str(icon["href"])).content) < 2500


class TestServiceWorker:
    def test_is_asked_for_each_time_and_may_answer_for_the_whole_site(self, anonymous: httpx.Client) -> None:
        response = anonymous.get("/service-worker.js")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["content-type"].startswith("text/javascript")
        headers = {"If-None-Match": response.headers["etag"]}
        assert anonymous.get("/service-worker.js", headers=headers).status_code == 304

    def test_names_every_file_of_the_present_version(self, anonymous: httpx.Client) -> None:
        text = anonymous.get("/service-worker.js").text
        assert f'const VERSION = "{assets.VERSION}";' in text
        files = re.findall(r'"(/static/[^"]+)"', text)
        assert files == [assets.url(name) for name in assets.SITE_FILES]
        assert all(anonymous.get(file).status_code == 200 for file in files)

    def test_is_short(self) -> None:
        lines = (assets.FOLDER / "service-worker.js").read_text(encoding="utf-8").splitlines()
        assert len(lines) <= 70

    def test_pages_of_the_list_may_start_it_and_all_pages_may_have_the_manifest(self, person: Person) -> None:
        policy = person.browser.get("/list").headers["content-security-policy"]
        assert "worker-src 'self'" in policy
        for path in ("/list", "/account", "/", "/legal", "/docs"):
            assert "manifest-src 'self'" in person.browser.get(path).headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/sign-out", "/account/delete"])
def test_who_signs_out_leaves_nothing_in_the_browser(person: Person, path: str) -> None:
    fields = {"password": PASSWORD} if path == "/account/delete" else {}
    response = person.send(path, **fields)
    assert response.status_code == 303
    assert response.headers["clear-site-data"] == '"cache"'


def test_icons_are_kept_for_a_day(anonymous: httpx.Client) -> None:
    for name in installation.ICONS:
        assert anonymous.get(f"/icons/{name}").headers["cache-control"] == "public, max-age=86400"
    assert anonymous.get("/icons/icon-64.png").status_code == 404
