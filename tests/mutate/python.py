"""Small changes of Python: comparisons, conditions, constants, calls, and statements left out.

What is only told (log lines, metrics, the words of an error) and what only types see stays as it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .mutant import Mutant, mutant_of

COMPARED: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
COUNTED: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "*"),
    ast.BitOr: ("|", "&"),
    ast.BitAnd: ("&", "|"),
}
SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min", "sorted": "list"}
LOOSER = {"fullmatch": "match", "match": "search"}
LEFT_OUT = frozenset(["strip", "lower", "casefold", "upper"])
SMALL = 20  # one more is another number; of a larger one, twice as many
ONLY_TOLD = frozenset(["log", "metrics"])
ONLY_TYPES = frozenset(["cast", "TypeVar", "Literal"])


def mutants(path: str, source: str) -> list[Mutant]:
    """List every small change of a file."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    made = [mutant_of(path, where, source, span, new) for where, span, new in finder.found]
    return [each for each in made if _compiles(each.text(source))]


def _compiles(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


class _Finder(ast.NodeVisitor):
    """Walk through a file and note what can be changed."""

    def __init__(self, source: str) -> None:
        self.raw = source.encode()
        self.lines = [0]
        for line in self.raw.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        self.found: list[tuple[str, tuple[int, int], str]] = []
        self.around: list[str] = []

    def _span(self, node: ast.AST) -> tuple[int, int]:
        start = self.lines[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return start, self.lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def _note(self, span: tuple[int, int], new: str) -> None:
        self.found.append((".".join(self.around) or "module", span, new))

    def _between(self, left: ast.AST, right: ast.AST, old: str, new: str) -> None:
        start, end = self._span(left)[1], self._span(right)[0]
        place = self.raw[start:end].find(old.encode())
        if place >= 0:
            self._note((start + place, start + place + len(old)), new)

    def _text(self, node: ast.AST) -> str:
        start, end = self._span(node)
        return self.raw[start:end].decode()

    def _named(self, node: ast.ClassDef | ast.FunctionDef) -> None:
        self.around.append(node.name)
        for each in _without_docstring(node.body):
            self.visit(each)
        self.around.pop()

    def visit_Module(self, node: ast.Module) -> None:
        for each in _without_docstring(node.body):
            self.visit(each)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._named(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *(each for each in node.args.kw_defaults if each)]:
            self.visit(default)
        self._named(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        if isinstance(node.targets[0], ast.Name) and (node.targets[0].id == "__all__" or _is_type(node.value)):
            return
        if self.around and not isinstance(node.targets[0], ast.Name | ast.Tuple):
            self._note(self._span(node), "pass")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._note(self._span(node), "pass")
        self.visit(node.value)

    def visit_Delete(self, node: ast.Delete) -> None:
        self._note(self._span(node), "pass")

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant) or _root(node.value) in ONLY_TOLD:
            return
        self._note(self._span(node), "pass")
        self.visit(node.value)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._note(self._span(node), "pass")
        if isinstance(node.exc, ast.Call):
            for given in [*node.exc.args, *(each.value for each in node.exc.keywords)]:
                if not isinstance(given, ast.Constant | ast.JoinedStr):
                    self.visit(given)

    def visit_Return(self, node: ast.Return) -> None:
        if node.value is None:
            return
        if not isinstance(node.value, ast.Constant):
            self._note(self._span(node), "return None")
        self.visit(node.value)

    def visit_Continue(self, node: ast.Continue) -> None:
        self._note(self._span(node), "pass")

    def visit_Break(self, node: ast.Break) -> None:
        self._note(self._span(node), "pass")

    def visit_If(self, node: ast.If) -> None:
        if _root(node.test) == "TYPE_CHECKING":
            return
        self._condition(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._condition(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._condition(test)
        self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        if node.guard is not None:
            self._condition(node.guard)
        self.generic_visit(node)

    def _condition(self, test: ast.expr) -> None:
        if not isinstance(test, ast.Compare | ast.BoolOp) and not _is_not(test):
            self._note(self._span(test), f"not ({self._text(test)})")

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = [node.left, *node.comparators]
        for op, left, right in zip(node.ops, operands, operands[1:], strict=False):
            self._between(left, right, *COMPARED[type(op)])
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        old, new = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._between(left, right, old, new)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if _is_not(node):
            start, _ = self._span(node)
            self._note((start, start + len("not ")), "")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) in COUNTED:
            self._between(node.left, node.right, *COUNTED[type(node.op)])
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in ONLY_TYPES:
            for given in node.args[1:]:
                self.visit(given)
            return
        if name in SWAPPED:
            self._note(self._span(node.func), SWAPPED[name])
        if isinstance(node.func, ast.Attribute):
            self._method(node, node.func)
        self.generic_visit(node)

    def _method(self, node: ast.Call, func: ast.Attribute) -> None:
        end = self._span(func)[1]
        if func.attr in LOOSER:
            self._note((end - len(func.attr), end), LOOSER[func.attr])
        if func.attr in LEFT_OUT and not node.args:
            self._note((self._span(func.value)[1], self._span(node)[1]), "")

    def visit_Constant(self, node: ast.Constant) -> None:
        match node.value:
            case bool():
                self._note(self._span(node), str(not node.value))
            case int() | float():
                self._note(self._span(node), f"({self._text(node)} {'+ 1' if abs(node.value) < SMALL else '* 2'})")
            case str() | bytes():
                mark = "b" if isinstance(node.value, bytes) else ""
                self._note(self._span(node), f'{mark}""' if node.value else f'{mark}"x"')

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._note(self._span(node), '""')


def _without_docstring(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    for number, each in enumerate(body):
        if number or not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)):
            yield each


def _root(node: ast.expr) -> str:
    """Name what a chain of calls and attributes begins with."""
    while isinstance(node, ast.Call | ast.Attribute):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _is_type(node: ast.expr) -> bool:
    """Tell a name for a type from a value."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return isinstance(node.right, ast.Name) and node.right.id[0].isupper() | (node.right.id in {"int", "float"})
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id[0].isupper()
