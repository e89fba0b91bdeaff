/** Bytes from `start` up to, not including, `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Reads a Range header for `size` bytes (RFC 9110, "Range"). Undefined means the whole: no range, another unit, bad
 * syntax, or several ranges, all of which a server may ignore. `unsatisfiable` is a 416.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | "unsatisfiable" | undefined {
  const parts = /^bytes=\s*(\d{0,16})\s*-\s*(\d{0,16})\s*$/i.exec(header ?? "");
  if (!parts) return undefined;
  const [, first = "", last = ""] = parts;
  if (first === "") {
    if (last === "") return undefined;
    const length = Math.min(Number(last), size);
    return length === 0 ? "unsatisfiable" : { start: size - length, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  return start >= size || (last !== "" && Number(last) < start) ? "unsatisfiable" : { start, end };
}

/** Reads the Content-Range of a chunk, `<first>-<last>` without unit or total (distribution-spec, "Pushing a blob in chunks"). */
export function parseContentRange(header: string): ByteRange | undefined {
  const parts = /^(\d{1,15})-(\d{1,15})$/.exec(header.trim());
  if (!parts) return undefined;
  const range = { start: Number(parts[1]), end: Number(parts[2]) + 1 };
  return range.end > range.start ? range : undefined;
}
