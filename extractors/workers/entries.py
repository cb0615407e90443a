"""One entry of the cache: a row of a modality's table in Arrow's IPC format, after a checksum."""

import zlib

import pyarrow as pa

_SUM = 4  # bytes of the CRC-32 before the table
_OF_ROWS = ("values", "observed", "starts", "ends", "token_ids", "special")  # a value per row


def pack(table: pa.Table) -> tuple[bytes, pa.Buffer]:
    """The content of an entry, in two parts: of a long video the table is large, and not copied."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    content = sink.getvalue()
    return zlib.crc32(content).to_bytes(_SUM, "big"), content


def unpack(content: bytes) -> pa.Table | None:
    """The table in an entry; None where it is not what was written."""
    if len(content) <= _SUM or zlib.crc32(content[_SUM:]).to_bytes(_SUM, "big") != content[:_SUM]:
        return None
    try:
        table = pa.ipc.open_stream(pa.py_buffer(content)[_SUM:]).read_all()
        table.validate(full=True)
    except (pa.ArrowException, ValueError, OSError):
        return None
    return table


def is_row(table: pa.Table, schema: pa.Schema) -> bool:
    """Whether a table is one row of a schema, whose lists are all of one length."""
    if table.num_rows != 1 or not table.schema.equals(schema, check_metadata=False):
        return False
    rows = [f.name for f in schema if f.name in _OF_ROWS]
    return len({len(table[name][0]) for name in rows}) <= 1
