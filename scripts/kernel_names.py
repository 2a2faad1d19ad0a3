# SPDX-License-Identifier: MIT
"""Names of GPU kernels as people read them, for kernel_report and gpu_trace."""
import re

KIND = {"elements_kernel": "elements", "columns_kernel": "columns", "map_kernel": "map", "team_kernel": "teams"}


def plain(demangled: str) -> str:
    """A demangled name without return type, this project's namespaces and arguments."""
    name = re.sub(r"ebm::|cuda::|\(anonymous namespace\)::|_GLOBAL__N__\w+::", "", demangled.removeprefix("void "))
    return without_arguments(name).replace("> >", ">>")


def without_arguments(name: str) -> str:
    """Up to the parenthesis that the last one closes: by counting, since a vendor's names run to thousands of letters."""
    depth = 0
    for at in range(len(name) - 1, 0, -1):
        depth += (name[at] == ")") - (name[at] == "(")
        if depth == 0:
            return name[:at] if at < len(name) - 1 else name
    return name


def short(name: str) -> str:
    """columns_kernel<Neighbours<bfloat16>, ColumnSum, Terms<..>, ..> -> ColumnSum, columns, bfloat16, 16 bytes at once;
    tiled_kernel<Forward<SplitTf32, TileShape<64, 64, 32, 32, 32, 3>>> -> Forward, SplitTf32, tiles 64x64x32"""
    if tiles := re.match(r"tiled_kernel<(\w+)<([^,]*), (?:\w+)<([^>]*)>", name):
        rows, columns, depth = re.findall(r"(?:\)|\b)(\d+)(?=,|$)", tiles[3])[:3]
        way = tiles[2] if tiles[1] != "Product" else f"SplitTf32, a b{'^T' * tiles[2].endswith('1')}"
        return f"{tiles[1]}, {way}, tiles {rows}x{columns}x{depth}"
    parts = re.fullmatch(r"(\w+)<(.*)>", name)
    if not parts or parts[1] not in KIND:
        return name
    arguments = re.findall(r"\w+", parts[2])
    traits = [KIND[parts[1]]]
    if parts[1] == "team_kernel":
        traits.append(f"{arguments.pop(0)} threads")
    elif parts[1] != "map_kernel":
        element, stored = arguments.pop(0), arguments.pop(0)
        traits += [stored] * (stored != "float") + ["16 bytes at once"] * (element == "Neighbours")
    if "PartialSums" in arguments:
        traits.append("last step")
    return ", ".join([arguments[0]] + traits)
