"""Take the screenshots of the README: the list and the history, light and dark, on a desk and on a phone.

Run `make screenshots` to write docs/screenshots/*.png again. It starts the service on a database of its own and on a
free port of this machine, lets an assistant fill a list, and drives Debian's chromium through it.
"""

import shutil
import tempfile
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from dev.processes import ROOT, Child, environ_for, migrate, serving

TARGET = ROOT / "docs" / "screenshots"
WINDOWS = {"desk": {"width": 900, "height": 980}, "phone": {"width": 390, "height": 844}}
PATHS = {"list": "/list", "history": "/history"}
COLOURS = 64  # which keeps the files small


def main() -> None:
    """Write a picture of each page in each window and each scheme of colours."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        environ = environ_for(Path(folder))
        migrate(environ["DATABASE_URL"])
        with serving(environ) as service:
            take(service)


def take(service: Child) -> None:
    """Sign somebody up, fill the list, and write the pictures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(base_url=service.url)
        page.goto("/sign-up")
        page.fill("#username", "kevin")
        page.fill("#password", "seven calm whales sing")
        page.get_by_role("button", name="Create the account").click()
        fill(service)
        page.goto("/list")
        page.get_by_role("button", name="Complete: Pay the rent").click()
        page.wait_for_selector("#notice")
        for window, size in WINDOWS.items():
            for scheme in ("light", "dark"):
                page.set_viewport_size(size)  # type: ignore[arg-type]
                page.emulate_media(color_scheme=scheme)
                for name, path in PATHS.items():
                    page.goto(path)
                    save(page, TARGET / f"{name}-{window}-{scheme}.png")
        browser.close()


def fill(service: Child) -> None:
    """Let ChatGPT keep a list for a while."""
    headers = {**service.authorization, "openai-conversation-id": "0123456789abcdef"}
    with httpx.Client(base_url=service.url, headers=headers, trust_env=False) as client:

        def call(method: str, path: str = "", **body: Any) -> None:
            client.request(method, f"/todos/kevin{path}", json=body).raise_for_status()

        today = date.today()
        day = {name: str(today + timedelta(days=days)) for name, days in (("-", -2), ("0", 0), ("+", 1), ("++", 5))}
        call("POST", todo="Send Maria the contract", due=day["-"], priority="high", tags=["work"])
        call("POST", todo="Buy oat milk", due=day["0"], list="Shopping", create_list=True, tags=["home"])
        call("POST", todo="Call the dentist", due=day["0"], notes="Ask for a morning.")
        call("POST", todo="Water the plants", due=day["+"], repeat="FREQ=WEEKLY", tags=["home"])
        steps = [{"text": "Compare the times", "done": True}, "Reserve a seat"]
        trip: dict[str, Any] = {"list": "Trip to Vienna", "create_list": True, "steps": steps}
        call("POST", todo="Book the train to Vienna", due=f"{day['++']}T18:00", priority="medium", **trip)
        call("POST", todo="Read the book that Ana lent me")
        call("POST", todo="Pay the rent", due=day["-"])
        call("PATCH", "/2", todo="Buy oat milk and bread", due=day["+"])
        call("POST", "/5/share")


def save(page: Page, file: Path) -> None:
    """Write what the window shows as a small file."""
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(file, format="PNG", optimize=True)


if __name__ == "__main__":
    main()
