"""What a judge that is not ours says of a page: axe-core, by the rules of WCAG 2.1, levels A and AA.

And what a screen reader is made to say by itself, as the page's live regions change.
"""

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

_RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]},
    "rules": {"label-content-name-mismatch": {"enabled": True}},  # of level A, and off by default: who speaks to a page
    "resultTypes": ["violations"],
}
_LISTEN = """() => {
  window.said = []; window.moved = 0;
  new MutationObserver((changes) => {
    const spoken = new Set();
    for (const { target } of changes) {
      const node = target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement;
      const region = node?.closest("[aria-live], [role=status], [role=alert]");
      if (region) spoken.add(region); else window.moved += 1;
    }
    for (const region of spoken) if (region.textContent.trim()) window.said.push(region.textContent.trim());
  }).observe(document.body, { subtree: true, childList: true, characterData: true, attributeFilter: ["hidden"] });
}"""


def violations(page: Page) -> list[str]:
    """Return one line for each element that breaks a rule: the rule, the element, what is wrong."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{rule['id']}: {node['html'][:200]}: {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def listen(page: Page) -> None:
    """Begin to note what is read out."""
    page.evaluate(_LISTEN)


def heard(page: Page) -> tuple[list[str], int]:
    """Return what was read out since `listen`, and how many changes of the page were not."""
    said: list[str] = page.evaluate("window.said")
    moved: int = page.evaluate("window.moved")
    return said, moved
