"""English words that are left on a page in another alphabet."""

import re
from html.parser import HTMLParser

# words of other alphabets that a Korean page may hold: names of methods, options, programs and of what is typed
LATIN = (
    *("a", "b", "c", "d", "e", "f", "h", "i", "p", "t", "u", "v", "w", "x", "y", "K", "V", "S", "L1", "L2", "R", "X"),
    *("AUC", "ROC", "RMSE", "CV", "SE", "KKT", "SVG", "PNG", "CSV", "JSON", "FILE", "Delete", "converged"),
    *("lam", "lambda_1se", "lambda_best", "l1_ratio", "coefficients", "csv", "json", "html", "model", "docs", "md"),
    *("normball", "fit", "report", "data", "holdout", "bootstrap", "predict", "new", "open", "torch"),
    *("log", "min", "scikit", "learn", "sklearn", "glmnet", "glm", "hqreg"),
)


class Text(HTMLParser):
    """What a reader of a page reads, piece by piece; without code and, on demand, without some sections."""

    silent = ("script", "style", "pre", "code", "option", "bdi")

    def __init__(self, without: tuple[str, ...]) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._without, self._inside, self._skipped = without, [], 0  # type: tuple[str, ...], list[str], int

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.pieces += [text for name in ("aria-label", "title") if (text := given.get(name))]
        if self._skipped or tag in self.silent or given.get("aria-labelledby") in self._without:
            self._skipped += tag not in ("input", "meta", "br", "link")

    def handle_endtag(self, tag: str) -> None:
        self._skipped = max(0, self._skipped - 1)

    def handle_data(self, data: str) -> None:
        if not self._skipped and data.strip():
            self.pieces.append(data.strip())


def words_of(names: list[str]) -> re.Pattern[str]:
    longest_first = sorted(set(names), key=len, reverse=True)
    return re.compile(rf"(?<![A-Za-z])(?:{'|'.join(map(re.escape, longest_first))})(?![A-Za-z])")


def english_in(html: str, names: list[str], without: tuple[str, ...] = ("findings",)) -> list[str]:
    """The pieces of a page that hold words of the Latin alphabet which are no names."""
    reader = Text(without)
    reader.feed(html)
    allowed = words_of([*names, *LATIN])
    return [piece for piece in reader.pieces if re.search(r"[A-Za-z]{2}", allowed.sub("", piece))]
