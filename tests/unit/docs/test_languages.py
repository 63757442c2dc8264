"""The operator's pages say the same in both languages, and every link of the documentation leads somewhere."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
INDONESIAN = DOCS / "id"
PAGES = ("install.md", "operations.md", "alerts.md", "messages.md", "behaviour.md")
FENCE = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ .*$", re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
ENGLISH = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
COUNTING = ("dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan", "sepuluh")
COUNTED = {word: str(n) for words in (ENGLISH, COUNTING) for n, word in enumerate(words, 2)} | {"twice": "2"}
REMARK = re.compile(r"\s+# .*$")  # what a command block says to its reader, in their language


def bare(text: str) -> str:
    """Return the text without its command blocks, where `#` begins no heading and brackets are no link."""
    return FENCE.sub("", text)


def commands(text: str) -> list[list[str]]:
    """Return the lines of each command block without remarks."""
    return [[REMARK.sub("", line) for line in block.splitlines()[1:-1]] for block in FENCE.findall(text)]


def sections(page: Path) -> list[tuple[str, str]]:
    """Return each heading with what stands under it, command blocks left out."""
    text = bare(page.read_text())
    starts = [*HEADING.finditer(text)]
    ends = [start for _, start in pairwise([*(m.start() for m in starts), len(text)])]
    return [(m[0], text[m.end() : end]) for m, end in zip(starts, ends, strict=True)]


def rows(section: str) -> list[str]:
    """Return the lines of its tables."""
    return [line for line in section.splitlines() if line.lstrip().startswith("|")]


def marks(text: str) -> set[str]:
    """Return what no translation changes: code, the program's own words in quotes, and numbers, also written out."""
    text = re.sub(r"^ *\d+\. ", "", LINK.sub("", text), flags=re.MULTILINE)
    code, text = re.findall(r"`([^`]+)`", text), re.sub(r"`[^`]+`", "", text)
    quoted, text = re.findall(r'"([^"]+)"', text), re.sub(r'"[^"]+"', "", text)
    spans = {" ".join(span.split()) for span in (*code, *quoted)}
    words = {COUNTED[word] for word in re.findall(r"[a-z]+", text.lower()) if word in COUNTED}
    return spans | words | set(re.findall(r"\d+(?:[.,:]\d+)*", text))


def both(page: str) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Yield the sections in pairs, English first."""
    yield from zip(sections(DOCS / page), sections(INDONESIAN / page), strict=True)


def anchors(page: Path) -> set[str]:
    """Return where a link may point within it, as GitHub names headings."""
    found: dict[str, int] = {}
    for heading, _ in sections(page):
        words = LINK.sub(lambda link: link[0][1 : link[0].index("]")], heading.lstrip("#").strip())
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found[slug] = found.get(slug, 0) + 1
    return {slug if not n else f"{slug}-{n}" for slug, count in found.items() for n in range(count)}


def links(page: Path) -> list[tuple[Path, str]]:
    """Return file and anchor of each link that stays within the repository."""
    inside = [target for target in LINK.findall(bare(page.read_text())) if not re.match(r"[a-z]+:", target)]
    parts = [target.partition("#") for target in inside]
    return [((page.parent / path).resolve() if path else page, anchor) for path, _, anchor in parts]


@pytest.mark.parametrize("page", PAGES)
def test_the_indonesian_page_has_every_command(page: str) -> None:
    """Block by block, as it is typed; only the remark behind a command is translated."""
    assert commands((INDONESIAN / page).read_text()) == commands((DOCS / page).read_text())


@pytest.mark.parametrize("page", PAGES)
def test_the_indonesian_page_has_every_section_with_its_names_and_figures(page: str) -> None:
    """Headings of the same depth in the same order; what is code, quoted or a number is the same under each."""
    for (heading, english), (judul, indonesian) in both(page):
        assert judul.count("#") == heading.count("#"), f"{heading} / {judul}"
        assert marks(indonesian) == marks(english), f"docs/id/{page} differs under: {judul}"


@pytest.mark.parametrize("page", PAGES)
def test_the_indonesian_page_has_every_row_of_the_tables(page: str) -> None:
    """So each alert and each message has its entry there too, beside its own remedy."""
    for (heading, english), (_, indonesian) in both(page):
        ours, theirs = rows(english), rows(indonesian)
        assert len(theirs) == len(ours), f"docs/id/{page} has not the rows of: {heading}"
        for row, baris in zip(ours, theirs, strict=True):
            assert marks(baris) == marks(row), f"docs/id/{page} differs at: {row}"


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_stays_in_the_language(page: str) -> None:
    """The line under the title changes it; every other link leads to the page's own language where that exists."""
    (other, _), *english = links(DOCS / page)
    (back, _), *indonesian = links(INDONESIAN / page)
    assert (other, back) == (INDONESIAN / page, DOCS / page)
    expected = [INDONESIAN / path.name if path.parent == DOCS and path.name in PAGES else path for path, _ in english]
    assert sorted(path for path, _ in indonesian) == sorted(expected)


def test_the_first_page_in_indonesian_has_no_command_of_its_own() -> None:
    """What it shows stands in the README too."""
    known = {line for block in commands((ROOT / "README.md").read_text()) for line in block}
    shown = {line for block in commands((INDONESIAN / "README.md").read_text()) for line in block}
    assert shown
    assert shown <= known


@pytest.mark.parametrize(
    "page", [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.stem
)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and where it names a heading, to a heading of that file."""
    for target, anchor in links(page):
        assert target.exists(), f"{page}: {target}"
        assert not anchor or anchor in anchors(target), f"{page}: {target}#{anchor}"
