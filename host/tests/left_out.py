"""A proof with one of its assertions left out."""


def left_out(top: str, label: str, text: str) -> str:
    """The SBY file with one assertion of the top deleted from the netlist."""
    prepared = f"prep -top {top} -flatten\n"
    assert prepared in text
    return text.replace(prepared, f"{prepared}delete {top}/{label}\n")
