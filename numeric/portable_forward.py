"""The forward pass of a portable file, line by line."""

from __future__ import annotations

import re

from sympy.matrices.expressions import MatrixExpr

from numeric.forward_pass import Forward
from numeric.portable_steps import Steps


class PortableForward(Steps):
    """Writes the forward pass."""

    def function(self, signature: str) -> str:
        """The whole function."""
        self.lines += [
            signature,
            '    """The whole sequence: outputs, final state, and what backward needs."""',
        ]
        self.begin_forward()
        lists = [a.target for a in self.assignments if a.name not in self.memory]
        for target in lists:
            self.write(f"{self.names.storage(target)} = []")
        begun, self.lines = self.lines, []
        self.write("for t in range(T):")
        show = self.printer(whole=False)
        for a in self.assignments:
            text = show.over(a.expr, a.target)
            line = f"{self.names.storage(a.target)}.append({text})"
            self.write(line, indent=2, number=self.number_of(a.target))
        self.lines = [*begun, *self.settle(self.lines), *self.lines]
        self.results_of_steps(lists)
        return "\n".join(self.portable(self.lines))

    def begin_forward(self) -> None:
        """Sizes and arguments, checked, as in the NumPy file; the namespace is that of the arguments."""
        forward = Forward(self.program, self.names)
        forward.arguments()
        for line in forward.lines:
            line = re.sub(r"\bdtype = common_dtype\(", "xp, dtype, device = placed(", line)
            if "init_state(" in line:
                line = line.replace("dtype=dtype)", "xp=xp, dtype=dtype, device=device)")
            self.lines.append(line)
        for x, q in self.inputs.items():
            if q.kind == "index":
                self.write(f"{x} = one_hot({x}, {self.dim(q.shape[0])}, dtype, device)")
        for q in self.memory.values():
            first = forward.first_of(q)
            begun = f"[{first}]" if q.depth == 1 else f"[{first}[k, ...] for k in range({q.depth})]"
            if q.role == "input":
                begun += f" + [{self.names.of(q.symbol)}[t, ...] for t in range(T)]"
            self.write(f"{self.names.storage(q.symbol)} = {begun}")

    def results_of_steps(self, lists: list[MatrixExpr]) -> None:
        """Outputs, the final state, and every list."""
        outputs = []
        for q in self.cell.outputs:
            span = f"[{q.depth}:]" if q.name in self.memory else ""
            outputs.append(f'"{q.name}": xp.stack({self.names.storage(q.symbol)}{span})')
        final = []
        for q in self.memory.values():
            stored = self.names.storage(q.symbol)
            last = f"copied({stored}[-1])" if q.depth == 1 else f"xp.stack({stored}[-{q.depth}:])"
            final.append(f'"{q.name}": {last}')
        kept = [*lists, *(q.symbol for q in self.memory.values())]
        cache = [f'"{v.name}": {self.names.storage(v)}' for v in kept]
        cache += [f'"{q.name}": {x}' for x, q in self.inputs.items() if q.name not in self.memory]
        cache += [f'"{q.name}": {c}' for c, q in self.constants.items()]
        self.write_list("outputs = {", outputs, "}")
        self.write_list("final = {", final, "}")
        self.write_list("cache = {", cache, "}")
        self.write("return outputs, final, cache")
