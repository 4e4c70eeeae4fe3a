"""Work on matrices that compiled files bring along, for sizes at which a library's call costs more than the numbers.

``products`` adds rows of the matrix up, ``dots`` multiplies rows of it with the vectors; each takes several samples
and several rows at once, so that a number that is read once is used several times.
``put`` puts parameters side by side, ``add_vectors`` adds up what a bias receives.
"""

from __future__ import annotations

PUT = '''\
@compiled
def put(part: Array, whole: Array, factor) -> None:
    """whole = factor · part, a vector."""
    if part.shape != whole.shape:
        raise ValueError("a parameter has another shape than when it was checked")
    for j in range(part.shape[0]):
        whole[j] = part[j] * factor'''

PUT_TURNED = '''\
@compiled
def put_turned(part: Array, whole: Array, factor) -> None:
    """whole = factor · partᵀ, a matrix, sixteen of its columns at a time."""
    if part.T.shape != whole.shape:
        raise ValueError("a parameter has another shape than when it was checked")
    rows, columns = part.shape
    for j in range(0, rows - rows % 16, 16):
        for k in range(columns):
            row = whole[k]
            for i in range(16):
                row[j + i] = part[j + i, k] * factor
    for j in range(rows - rows % 16, rows):
        for k in range(columns):
            whole[k, j] = part[j, k] * factor'''


ADD_VECTORS = '''\
@compiled
def add_vectors(total: Array, vectors: Array, first: bool) -> None:
    """Adds the vectors of all steps and samples to what the total holds unless they are the first."""
    added = np.zeros_like(total)
    for t in range(vectors.shape[0]):
        for b in range(vectors.shape[1]):
            vector = vectors[t, b]
            for j in range(added.shape[0]):
                added[j] += vector[j]
    for j in range(added.shape[0]):
        total[j] = added[j] if first else total[j] + added[j]'''


def products_text() -> str:
    """The source of ``products``."""
    lines = [
        "@compiled",
        "def products(vectors: Array, matrix: Array, out: Array) -> None:",
        '    """out = vectors @ matrix, up to four samples and four rows of the matrix at a time."""',
        "    B, rows, columns = vectors.shape[0], matrix.shape[0], matrix.shape[1]",
    ]
    for b_range, samples in _ranges("B", 4):
        lines += [
            f"    for b in {b_range}:",
            f"        {_each('v{}', samples)} = {_each('vectors[b + {}]', samples)}",
            f"        {_each('o{}', samples)} = {_each('out[b + {}]', samples)}",
            "        for k in range(columns):",
            *(f"            o{i}[k] = 0" for i in range(samples)),
        ]
        for j_range, rows in _ranges("rows", 4):
            lines += [
                f"        for j in {j_range}:",
                f"            {_each('w{}', rows)} = {_each('matrix[j + {}]', rows)}",
                *(
                    f"            {_each(f'a{i}{{}}', rows)} = {_each(f'v{i}[j + {{}}]', rows)}"
                    for i in range(samples)
                ),
                "            for k in range(columns):",
                f"                {_each('m{}', rows)} = {_each('w{}[k]', rows)}",
                *(
                    f"                o{i}[k] += "
                    + " + ".join(f"a{i}{r} * m{r}" for r in range(rows))
                    for i in range(samples)
                ),
            ]
    return "\n".join(lines).replace(" + 0]", "]")


def dots_text() -> str:
    """The source of ``dots``."""
    lines = [
        "def reassociated(function):",
        '    """As ``compiled``; the terms of a sum come in the order that is fastest."""',
        '    return compiled(function, "reassoc")',
        "",
        "",
        "@reassociated",
        "def dots(vectors: Array, matrix: Array, out: Array) -> None:",
        '    """out = vectors @ matrix.T, several rows at a time."""',
        "    B, rows, columns = vectors.shape[0], matrix.shape[0], matrix.shape[1]",
        "    zero = matrix.dtype.type(0)",
    ]
    for (b_range, samples), most in zip(_ranges("B", 4), (2, 4), strict=True):
        lines += [
            f"    for b in {b_range}:",
            f"        {_each('v{}', samples)} = {_each('vectors[b + {}]', samples)}",
        ]
        for k_range, rows in _ranges("rows", most):
            pairs = [(i, r) for i in range(samples) for r in range(rows)]
            lines += [
                f"        for k in {k_range}:",
                f"            {_each('w{}', rows)} = {_each('matrix[k + {}]', rows)}",
                f"            {' = '.join(f's{i}{r}' for i, r in pairs)} = zero",
                "            for j in range(columns):",
                *(f"                s{i}{r} += v{i}[j] * w{r}[j]" for i, r in pairs),
                *(f"            out[b + {i}, k + {r}] = s{i}{r}" for i, r in pairs),
            ]
    return "\n".join(lines).replace(" + 0,", ",").replace(" + 0]", "]")


def _ranges(size: str, most: int) -> list[tuple[str, int]]:
    """``most`` at a time as long as there are as many, then one at a time."""
    return [
        (f"range(0, {size} - {size} % {most}, {most})", most),
        (f"range({size} - {size} % {most}, {size})", 1),
    ]


def _each(text: str, count: int) -> str:
    return ", ".join(text.format(k) for k in range(count))


FUNCTIONS = {
    "put": lambda: PUT, "put_turned": lambda: PUT_TURNED, "add_vectors": lambda: ADD_VECTORS,
    "products": products_text, "dots": dots_text,
}  # fmt: skip
"""What a file brings along if it calls it: the source by the name."""
