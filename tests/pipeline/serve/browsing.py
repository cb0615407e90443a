"""A browser that is at the page of a server."""

import time
from pathlib import Path
from typing import Any

from tests.pipeline.report.browser import Browser


class Page:
    """A browser that is at a page of the server."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.browser = browser
        browser.call("DOM.enable")
        browser.call("Page.navigate", url=address)
        self.until("document.getElementById('limits')?.textContent")

    def ask(self, expression: str) -> Any:
        answer = self.browser.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, expression: str, within_s: float = 120) -> Any:
        deadline = time.monotonic() + within_s
        while not (value := self.ask(expression)):
            told = self.ask("document.getElementById('problem')?.textContent")
            assert time.monotonic() < deadline, f"never: {expression} ({told})"
            time.sleep(0.05)
        return value

    def shown(self, identity: str) -> bool:
        """Whether an element is there to be seen."""
        shown: bool = self.ask(f"!document.getElementById('{identity}').hidden")
        return shown

    def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key, wherever the focus is."""
        typed = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
        code = {"Tab": 9, "Enter": 13, " ": 32, "End": 35, "Home": 36, "ArrowRight": 39}[key]
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
        self.browser.call("Input.dispatchKeyEvent", type="keyDown", **event, **typed)
        self.browser.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def focused(self) -> str:
        """What has the focus: its id, else what it is called."""
        element: str = self.ask(
            "(e => e.id || e.dataset.word || e.getAttribute('aria-label') || e.textContent)"
            "(document.activeElement)"
        )
        return element

    def choose(self, file: Path) -> None:
        root = self.browser.call("DOM.getDocument")["root"]["nodeId"]
        node = self.browser.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
        self.browser.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])

    def said(self) -> str:
        """The words, one after the other."""
        said: str = self.ask(
            "[...document.querySelectorAll('[data-word]')].map(w => w.value).join(' ')"
        )
        return said

    def correct(self, word: str, instead: str) -> None:
        """Write another word over one."""
        self.ask(
            f"""(word => {{
              word.value = '{instead}';
              word.dispatchEvent(new Event('change', {{ bubbles: true }}));
            }})([...document.querySelectorAll('[data-word]')].find(w => w.value === '{word}'))"""
        )

    def damage(self, kind: str, severity: float) -> None:
        """Have a copy damaged."""
        self.ask(
            f"""(kind => {{
              kind.value = '{kind}';
              kind.dispatchEvent(new Event('change'));
              document.getElementById('severity').value = {severity};
              document.getElementById('do-damage').click();
            }})(document.getElementById('kind'))"""
        )

    def read(self) -> list[float]:
        """Shares of words, voice and face that the first model reads."""
        cells = "document.querySelectorAll('.card:first-child .shares tbody td:nth-child(2)')"
        told = self.ask(f"[...{cells}].map(cell => cell.textContent)")
        return [float(share.removesuffix(" %")) / 100 for share in told]

    def delete(self) -> None:
        """Delete everything of the video that is shown."""
        self.ask("document.getElementById('delete').click()")
        self.until("document.getElementById('look').hidden")

    def score(self) -> str:
        score: str = self.until("document.querySelector('[data-score]')?.dataset.score")
        return score

    def other_score(self, than: str) -> str:
        self.until(
            f"(document.querySelector('[data-score]')?.dataset.score ?? '{than}') != '{than}'"
        )
        return self.score()

    def width(self, pixels: int, dark: bool) -> int:
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.browser.call("Emulation.setEmulatedMedia", features=[scheme])
        self.browser.call(
            "Emulation.setDeviceMetricsOverride",
            width=pixels,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        width: int = self.ask("document.documentElement.scrollWidth")
        return width
