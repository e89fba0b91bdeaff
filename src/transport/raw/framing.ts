/** Takes a body out of the bytes of a connection (RFC 9112, 6). */
export interface Framing {
  /** Moves the payload that is among the bytes from 0 to `length` to their front, and says how long it is; throws where they break the format. */
  decode(bytes: Buffer, length: number): number;
  /** Whether the body is complete. */
  isDone(): boolean;
  /** Whether the connection's end is the body's. */
  readonly endsWithConnection: boolean;
  /** Whether more came than the body has: such a connection serves no other request. */
  hasExcess(): boolean;
}

/** A body of so many bytes. */
export function lengthFraming(length: number): Framing {
  let left = length;
  let hasExcess = false;
  return {
    endsWithConnection: false,
    decode(_, came) {
      const taken = Math.min(came, left);
      left -= taken;
      hasExcess ||= came > taken;
      return taken;
    },
    isDone: () => left === 0,
    hasExcess: () => hasExcess,
  };
}

/** A body that goes on until the connection is closed. */
export function closeFraming(): Framing {
  return { endsWithConnection: true, isDone: () => false, hasExcess: () => false, decode: (_, came) => came };
}

const [tab, lineFeed, carriageReturn, space, semicolon] = [9, 10, 13, 32, 59];
/** Chunk extensions and trailers may have so many bytes, all told. */
const asideLimit = 32 * 1024;

type State =
  | "size"
  | "extension"
  | "size line feed"
  | "data"
  | "data return"
  | "data line feed"
  | "trailer"
  | "trailer line"
  | "trailer line feed"
  | "last line feed"
  | "done";

/** A chunked body (RFC 9112, 7.1); extensions and trailers are skipped. */
export function chunkedFraming(): Framing {
  let state: State = "size";
  let size = 0;
  let digits = 0;
  let aside = 0;
  let hasExcess = false;

  const skip = (to: State): State => {
    if (++aside > asideLimit) throw new Error("chunk extensions or trailers are too long");
    return to;
  };
  const step = (byte: number): State => {
    switch (state) {
      case "size":
        return sizeByte(byte);
      case "extension":
        return byte === carriageReturn ? "size line feed" : skip(plain(byte, "extension"));
      case "size line feed":
        expect(byte, lineFeed);
        digits = 0;
        return size === 0 ? "trailer" : "data";
      case "data return":
        expect(byte, carriageReturn);
        return "data line feed";
      case "data line feed":
        expect(byte, lineFeed);
        return "size";
      case "trailer":
        return byte === carriageReturn ? "last line feed" : skip(plain(byte, "trailer line"));
      case "trailer line":
        return byte === carriageReturn ? "trailer line feed" : skip(plain(byte, "trailer line"));
      case "trailer line feed":
        expect(byte, lineFeed);
        return "trailer";
      case "last line feed":
        expect(byte, lineFeed);
        return "done";
      case "data":
      case "done":
      default:
        return state;
    }
  };
  const sizeByte = (byte: number): State => {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++digits > 13) throw new Error("a chunk is too long");
      size = size * 16 + digit;
      return "size";
    }
    if (digits === 0) throw new Error("a chunk has no size");
    if (byte === carriageReturn) return "size line feed";
    if (byte !== semicolon && byte !== space && byte !== tab) throw new Error("a chunk's size is not hexadecimal");
    return skip("extension");
  };

  return {
    endsWithConnection: false,
    decode(bytes, length) {
      let to = 0;
      let from = 0;
      while (from < length && state !== "done") {
        if (state !== "data") {
          state = step(bytes[from++]!);
          continue;
        }
        const taken = Math.min(size, length - from);
        if (to !== from) bytes.copyWithin(to, from, from + taken);
        to += taken;
        from += taken;
        size -= taken;
        if (size === 0) state = "data return";
      }
      hasExcess ||= from < length;
      return to;
    },
    isDone: () => state === "done",
    hasExcess: () => hasExcess,
  };
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = (byte | 32) - 97;
  return letter >= 0 && letter < 6 ? letter + 10 : -1;
}

function expect(byte: number, wanted: number): void {
  if (byte !== wanted) throw new Error("a chunk does not end where it should");
}

function plain(byte: number, state: State): State {
  if (byte === lineFeed || byte === 0) throw new Error("a chunk's line ends in the middle");
  return state;
}
