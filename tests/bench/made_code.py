"""Code that nobody wrote, for measuring the index: words as rare and as common as in real code, vectors in clusters."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from review.context.chunk import Chunk, Definition, Kind, ParsedFile
from review.context.tree import Changeset
from storage.code.state import IndexedPath

CHUNKS = 12
"""Of each file. With the words and names below as 2,700 files of well-known Python packages have them in the mean."""

DIMENSIONS = 384
EMBEDDER = f"made/{DIMENSIONS}"
WORDS, NAMES, CLUSTERS = 20_000, 150_000, 400
TOKENS, REPEATED, USED = 175, 6, 180
"""Words of a file and how often each is repeated, and uses of names: 140 and 170 different ones."""


def zipf(n: int) -> NDArray[np.float64]:
    """The share of each of n words, by rank."""
    shares = 1 / (np.arange(n) + 2.7)
    return np.asarray(shares / shares.sum())


@dataclass(frozen=True, slots=True)
class MadeFile:
    """A file, parsed, with a vector of unit length for each chunk."""

    path: str
    blob: str
    parsed: ParsedFile
    vectors: NDArray[np.float32]

    @property
    def indexed(self) -> IndexedPath:
        return IndexedPath(self.path, self.blob, self.parsed.language)


class Maker:
    """Makes files and their history, the same ones for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        common = np.random.default_rng(0)
        letters = np.array(list("abcdefghijklmnoprstuvwy"))
        self.words = ["".join(common.choice(letters, 3 + n % 6)) + str(n) for n in range(WORDS)]
        ranks = common.choice(WORDS, (NAMES, 2), p=zipf(WORDS))
        self.names = [f"{self.words[a]}_{self.words[b]}_{n}" for n, (a, b) in enumerate(ranks)]
        self._centres = unit(common.standard_normal((CLUSTERS, DIMENSIONS)))
        self._words, self._names = np.cumsum(zipf(WORDS)), np.cumsum(zipf(NAMES))

    def file(self, path: str, chunks: int = CHUNKS) -> MadeFile:
        """A file with new contents."""
        random = self._random
        tokens = Counter(self.words[n] for n in self._words.searchsorted(random.random(TOKENS)).clip(max=WORDS - 1))
        words = {word: times * REPEATED for word, times in tokens.items()}
        used = frozenset(self.names[n] for n in self._names.searchsorted(random.random(USED)).clip(max=NAMES - 1))
        defined = [self.names[n] for n in random.integers(0, NAMES, chunks)]
        made = tuple(self._chunk(number, name, list(words)) for number, name in enumerate(defined))
        definitions = tuple(Definition(name, number, number * 12 + 1) for number, name in enumerate(defined))
        return MadeFile(
            path, random.bytes(20).hex(), ParsedFile("python", made, words, definitions, used), self.vectors(chunks)
        )

    def edited(self, file: MadeFile) -> MadeFile:
        """The same file with some fifth of it written anew."""
        new, old, fifth = self.file(file.path, len(file.parsed.chunks)), file.parsed, len(file.parsed.chunks) // 5
        parsed = ParsedFile(
            old.language,
            new.parsed.chunks[:fifth] + old.chunks[fifth:],
            _some(new.parsed.words, 0.2) | _some(old.words, 0.8),
            new.parsed.definitions[:fifth] + old.definitions[fifth:],
            frozenset([*_some(dict.fromkeys(new.parsed.references, 1), 0.2), *_some(dict.fromkeys(old.references, 1), 0.8)]),
        )
        return MadeFile(file.path, new.blob, parsed, np.vstack([new.vectors[:fifth], file.vectors[fifth:]]))

    def vectors(self, many: int) -> NDArray[np.float32]:
        """Vectors of unit length, of one or two subjects."""
        centres = self._centres[self._random.choice(CLUSTERS, 2)]
        noise = self._random.standard_normal((many, DIMENSIONS), dtype=np.float32) / np.sqrt(DIMENSIONS)
        return unit(centres[np.arange(many) % 2] + noise)

    def history(self, paths: Sequence[str], changesets: int) -> list[Changeset]:
        """Changesets of one to eight files, the newest first; some files change far more often than others."""
        random, shares = self._random, np.cumsum(zipf(len(paths)))
        return [
            Changeset(
                random.bytes(20).hex(),
                changesets - n,
                tuple({paths[at] for at in shares.searchsorted(random.random(1 + n % 8)).clip(max=len(paths) - 1)}),
            )
            for n in range(changesets)
        ]

    def asked(self, words: int, names: int) -> tuple[list[str], list[str]]:
        """Words and names as a change has them: common ones and rare ones, as they come in a few files."""
        some = [self.file("asked") for _ in range(2 + names // 150)]
        all_words = sorted({word for one in some for word in one.parsed.words})
        all_names = sorted({name for one in some for name in one.parsed.references})
        picked = self._random.permutation(len(all_words))[:words], self._random.permutation(len(all_names))[:names]
        return [all_words[n] for n in picked[0]], [all_names[n] for n in picked[1]]

    def _chunk(self, number: int, name: str, words: Sequence[str]) -> Chunk:
        at = self._random.integers(0, len(words), 90)
        lines = [" ".join(words[n] for n in at[first : first + 8]) for first in range(0, 88, 8)]
        text = "\n    ".join([f"def {name}(self, value):", *lines])
        return Chunk(Kind.FUNCTION, name, number * 12 + 1, number * 12 + 12, text, f"def {name}(self, value)", lines[0])


def _some(counts: Mapping[str, int], share: float) -> dict[str, int]:
    names = sorted(counts)
    return {name: counts[name] for name in names[: round(len(names) * share)]}


def unit(rows: NDArray[np.float64] | NDArray[np.float32]) -> NDArray[np.float32]:
    """The rows, each of length 1."""
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def paths(files: int) -> list[str]:
    """Paths of so many files, some twenty in a folder, a test beside each fifth in another folder."""
    return [
        f"tests/area{n // 100}/test_part{n - 1}.py" if n % 5 == 1 else f"src/area{n // 100}/room{n // 20}/part{n}.py"
        for n in range(files)
    ]
