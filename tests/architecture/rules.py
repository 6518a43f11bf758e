"""The house rules that a syntax tree can show. Each rule yields (line, what is wrong) for a module.

``EXAMPLES`` holds, for each rule, a file that breaks it: a rule that finds nothing there is broken.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from typing import Final

from tests.architecture.source import Module, dotted

Finding = tuple[int, str]
Rule = Callable[[Module], Iterator[Finding]]

_PROOF: Final = "saml_idp/domain/proof.py"
_CLOCK: Final = ("saml_idp/adapters/system.py", "saml_idp/device_sdk/")
_PRINTERS: Final = ("saml_idp/cli/", "saml_idp/demo/")
_SETTINGS: Final = ("saml_idp/settings.py", "saml_idp/settings/")
_CATCH_ALL: Final = ("saml_idp/web/errors.py", "saml_idp/cli/main.py")
# Tables and numbered migrations are as long as what they list.
_TABLES: Final = (
    "saml_idp/adapters/db/tables.py",
    "saml_idp/adapters/db/migrations/",
    "saml_idp/saml/names.py",
    "saml_idp/web/symbols.py",
    "saml_idp/web/texts.py",
    "saml_idp/web/texts/",
)
_QUERIES: Final = "saml_idp/adapters/db/"
_LONGEST: Final = 300

_CLOCK_CALLS: Final = {
    "date.today",
    "datetime.date.today",
    "datetime.datetime.now",
    "datetime.datetime.today",
    "datetime.datetime.utcnow",
    "datetime.now",
    "datetime.today",
    "datetime.utcnow",
    "time.time",
    "time.time_ns",
}
_DOMAIN_MAY_IMPORT: Final = {
    "abc",
    "base64",
    "binascii",
    "collections",
    "dataclasses",
    "datetime",
    "enum",
    "fnmatch",
    "functools",
    "hashlib",
    "hmac",
    "ipaddress",
    "itertools",
    "json",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
    "urllib.parse",
}
_NO_LIBRARY: Final = (
    "saml_idp/domain/",
    "saml_idp/services/",
    "saml_idp/ports/",
)
_SECRET_NAME: Final = re.compile(r"(^|_)(mac|passphrase|password|seal|secret|signature|token)$")
_CHAIN: Final = "saml_idp.domain.chain"
_LINK_WRITERS: Final = {
    "extend": (
        "saml_idp/domain/opening.py",
        "saml_idp/services/check_password.py",
        "saml_idp/services/answer_approval.py",
    ),
    "open_chain": ("saml_idp/domain/opening.py",),
    "seal_for_session": ("saml_idp/services/finish_login.py",),
}
_FORGERY: Final = {"__new__", "__setattr__", "__reduce__", "__reduce_ex__"}


def _calls(module: Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(module.tree) if isinstance(node, ast.Call))


def has_a_docstring(module: Module) -> Iterator[Finding]:
    """Every module opens with what it is for."""
    if not ast.get_docstring(module.tree):
        yield 1, "no docstring that says what the module is for"


def package_is_its_docstring(module: Module) -> Iterator[Finding]:
    """A package's ``__init__`` holds one docstring and nothing else; the root, the version too."""
    if not module.is_package:
        return
    for node in module.tree.body[1:]:
        is_version = isinstance(node, ast.Assign) and dotted(node.targets[0]) == "__version__"
        if not (is_version and module.path == "saml_idp/__init__.py"):
            yield node.lineno, "an __init__ holds its docstring and nothing else"


def is_short_enough(module: Module) -> Iterator[Finding]:
    """No file over 300 lines, tables aside."""
    if module.lines > _LONGEST and not module.lies_in(*_TABLES):
        yield module.lines, f"{module.lines} lines, {_LONGEST} are allowed"


def mint_is_untouched(module: Module) -> Iterator[Finding]:
    """Only ``domain.proof`` makes a proof, and nobody goes round a constructor."""
    if module.lies_in(_PROOF):
        return
    for node in ast.walk(module.tree):
        line = getattr(node, "lineno", 1)
        if isinstance(node, ast.Call) and _makes_a_proof(node):
            yield line, "only prove() makes a CompletedChain"
        if isinstance(node, ast.ClassDef):
            names = {dotted(base).rpartition(".")[2] for base in node.bases}
        elif isinstance(node, ast.ImportFrom):
            # under another name it would pass the check above
            names = {alias.name for alias in node.names if alias.asname}
        else:
            names = set()
        if "CompletedChain" in names:
            yield line, "a CompletedChain has no other name and no children"
        if (name := _name_at(node)) in _FORGERY:
            yield line, f"{name} goes round a constructor"


def _makes_a_proof(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Call):
        return dotted(call.func.func) == "type"  # type(proof)(…)
    return dotted(call.func).rpartition(".")[2] == "CompletedChain"


def _name_at(node: ast.AST) -> str | None:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value  # getattr(object, "__setattr__")
    return None


def links_are_written_by_the_steps(module: Module) -> Iterator[Finding]:
    """Many carry the seal's key; only the verbs of the steps may put a link on a chain."""
    for line, name in module.imports():
        if name == _CHAIN:
            yield line, "import what is needed of the chain by name"
        home, _, what = name.rpartition(".")
        if home == _CHAIN and what in _LINK_WRITERS and not module.lies_in(*_LINK_WRITERS[what]):
            yield line, f"{what}() is for {', '.join(_LINK_WRITERS[what])}"


def nothing_private_is_imported(module: Module) -> Iterator[Finding]:
    """A leading underscore stays inside its module."""
    for line, name in module.imports():
        last = name.rpartition(".")[2]
        if name.startswith("saml_idp.") and last.startswith("_") and not last.endswith("__"):
            yield line, f"{name} is private"


def imports_are_absolute(module: Module) -> Iterator[Finding]:
    """One way to name a module."""
    for line, name in module.imports():
        if name.startswith("."):
            yield line, "imports are absolute"


def only_the_command_line_prints(module: Module) -> Iterator[Finding]:
    """Servers log; ``print`` is for the command line and the demonstration."""
    for call in _calls(module):
        if dotted(call.func) == "print" and not module.lies_in(*_PRINTERS):
            yield call.lineno, "print() outside the command line"


def time_is_a_parameter(module: Module) -> Iterator[Finding]:
    """One module asks the clock; all others are told the time."""
    for call in _calls(module):
        if dotted(call.func) in _CLOCK_CALLS and not module.lies_in(*_CLOCK):
            yield call.lineno, f"{dotted(call.func)}() outside adapters.system"


def chance_is_strong(module: Module) -> Iterator[Finding]:
    """``random`` can be foreseen; nothing here may be."""
    for line, name in module.imports():
        if name.partition(".")[0] == "random":
            yield line, "random can be foreseen: use the Entropy port"


def checks_survive_optimisation(module: Module) -> Iterator[Finding]:
    """``python -O`` removes assert statements, and with them any check they make."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Assert):
            yield node.lineno, "assert is no check: python -O removes it"


def environment_is_read_once(module: Module) -> Iterator[Finding]:
    """Only the settings read the environment."""
    if module.lies_in(*_SETTINGS):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in {"os.environ", "os.getenv"}:
            yield node.lineno, f"{dotted(node)} outside the settings"
    for line, name in module.imports():
        if name in {"os.environ", "os.getenv"}:
            yield line, f"{name} outside the settings"


def no_shell(module: Module) -> Iterator[Finding]:
    """No text becomes a command or code."""
    for call in _calls(module):
        name = dotted(call.func)
        if any(keyword.arg == "shell" for keyword in call.keywords):
            yield call.lineno, "shell= makes a command of a text"
        if name in {"os.system", "os.popen", "eval", "exec"}:
            yield call.lineno, f"{name}() makes a command of a text"
    for line, name in module.imports():
        if name.partition(".")[0] in {"pickle", "marshal", "shelve"}:
            yield line, f"{name} runs what it reads"


def errors_are_named(module: Module) -> Iterator[Finding]:
    """``except Exception`` stands in the outermost tween and the command line's main alone.

    ``except BaseException`` that ends in a bare ``raise`` catches nothing: it rolls back.
    """
    if module.lies_in(*_CATCH_ALL):
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ExceptHandler):
            continue
        kinds = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        names = {dotted(kind) if kind else "" for kind in kinds}
        last = node.body[-1]
        goes_on = isinstance(last, ast.Raise) and last.exc is None
        if names & {"", "Exception"} or ("BaseException" in names and not goes_on):
            yield node.lineno, "name the errors that are expected here"


def secrets_are_compared_in_constant_time(module: Module) -> Iterator[Finding]:
    """``==`` on a secret tells by its time how much of it was right."""
    if module.lies_in(_QUERIES):
        return  # there it writes a WHERE, over what is stored: hashes
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Compare):
            continue
        if not any(isinstance(operator, ast.Eq | ast.NotEq) for operator in node.ops):
            continue
        sides = [node.left, *node.comparators]
        if any(isinstance(side, ast.Constant) for side in sides):
            continue  # held against a known word: nothing to guess
        if any(_SECRET_NAME.search(dotted(side).rpartition(".")[2]) for side in sides):
            yield node.lineno, "compare secrets with hmac.compare_digest"


def domain_needs_values_only(module: Module) -> Iterator[Finding]:
    """The rules stand on the standard library's value modules: no clock, chance, I/O, logging."""
    if not module.lies_in("saml_idp/domain/"):
        return
    for line, name in module.imports():
        known = {name.partition(".")[0], name.rpartition(".")[0]}
        if not name.startswith("saml_idp.domain.") and not known & _DOMAIN_MAY_IMPORT:
            yield line, f"the domain does not import {name}"


def rules_and_verbs_need_no_library(module: Module) -> Iterator[Finding]:
    """Domain, ports and services are plain Python."""
    if not module.lies_in(*_NO_LIBRARY):
        return
    for line, name in module.imports():
        top = name.partition(".")[0]
        if top != "saml_idp" and top not in sys.stdlib_module_names:
            yield line, f"no library here: {name}"


RULES: Final[tuple[Rule, ...]] = (
    has_a_docstring,
    package_is_its_docstring,
    is_short_enough,
    mint_is_untouched,
    links_are_written_by_the_steps,
    nothing_private_is_imported,
    imports_are_absolute,
    only_the_command_line_prints,
    time_is_a_parameter,
    chance_is_strong,
    checks_survive_optimisation,
    environment_is_read_once,
    no_shell,
    errors_are_named,
    secrets_are_compared_in_constant_time,
    domain_needs_values_only,
    rules_and_verbs_need_no_library,
)

_A_SERVICE: Final = "saml_idp/services/finish_login.py"
_A_RULE: Final = "saml_idp/domain/policy.py"

EXAMPLES: Final[tuple[tuple[Rule, str, str], ...]] = (
    (has_a_docstring, _A_SERVICE, "x = 1\n"),
    (package_is_its_docstring, "saml_idp/saml/__init__.py", '"""The wire."""\nimport lxml\n'),
    (package_is_its_docstring, "saml_idp/web/__init__.py", '"""Pages."""\n__version__ = "1"\n'),
    (is_short_enough, _A_SERVICE, "x = 1\n" * 301),
    (mint_is_untouched, _A_SERVICE, "CompletedChain(attempt)\n"),
    (mint_is_untouched, _A_SERVICE, "proof.CompletedChain(attempt)\n"),
    (mint_is_untouched, _A_SERVICE, "object.__new__(kind)\n"),
    (mint_is_untouched, _A_SERVICE, "kind.__new__(kind)\n"),
    (mint_is_untouched, _A_SERVICE, "object.__setattr__(chain, 'user_id', other)\n"),
    (mint_is_untouched, _A_SERVICE, "getattr(object, '__setattr__')(chain, 'user_id', other)\n"),
    (mint_is_untouched, _A_SERVICE, "class Mine(CompletedChain):\n    pass\n"),
    (mint_is_untouched, _A_SERVICE, "type(proof)(attempt)\n"),
    (mint_is_untouched, _A_SERVICE, "from saml_idp.domain.proof import CompletedChain as C\n"),
    (links_are_written_by_the_steps, _A_SERVICE, "from saml_idp.domain.chain import extend\n"),
    (links_are_written_by_the_steps, _A_SERVICE, "from saml_idp.domain import chain\n"),
    (links_are_written_by_the_steps, _A_SERVICE, "import saml_idp.domain.chain as c\n"),
    (nothing_private_is_imported, _A_SERVICE, "from saml_idp.domain.proof import _MINT\n"),
    (imports_are_absolute, _A_SERVICE, "from . import ask_approval\n"),
    (only_the_command_line_prints, _A_SERVICE, "print('hello')\n"),
    (time_is_a_parameter, _A_RULE, "now = datetime.now(UTC)\n"),
    (time_is_a_parameter, _A_RULE, "now = time.time()\n"),
    (time_is_a_parameter, "saml_idp/cli/keys.py", "now = datetime.datetime.now(UTC)\n"),
    (chance_is_strong, _A_SERVICE, "from random import choice\n"),
    (checks_survive_optimisation, _A_SERVICE, "assert user.enabled\n"),
    (environment_is_read_once, _A_SERVICE, "x = os.environ['SECRET']\n"),
    (environment_is_read_once, _A_SERVICE, "from os import environ\n"),
    (no_shell, "saml_idp/cli/main.py", "subprocess.run(text, shell=True)\n"),
    (no_shell, _A_SERVICE, "eval(text)\n"),
    (no_shell, _A_SERVICE, "import pickle\n"),
    (errors_are_named, _A_SERVICE, "try:\n    f()\nexcept Exception:\n    pass\n"),
    (errors_are_named, _A_SERVICE, "try:\n    f()\nexcept (ValueError, Exception):\n    pass\n"),
    (errors_are_named, _A_SERVICE, "try:\n    f()\nexcept:\n    pass\n"),
    (errors_are_named, _A_SERVICE, "try:\n    f()\nexcept BaseException:\n    g()\n"),
    (secrets_are_compared_in_constant_time, _A_SERVICE, "ok = link.seal == expected\n"),
    (secrets_are_compared_in_constant_time, _A_SERVICE, "ok = given != session.csrf_token\n"),
    (domain_needs_values_only, _A_RULE, "import logging\n"),
    (domain_needs_values_only, _A_RULE, "from os import path\n"),
    (domain_needs_values_only, _A_RULE, "import lxml.etree\n"),
    (domain_needs_values_only, _A_RULE, "from saml_idp.saml.xml import parse\n"),
    (rules_and_verbs_need_no_library, _A_SERVICE, "from sqlalchemy import select\n"),
)
