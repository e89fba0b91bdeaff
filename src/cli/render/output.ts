import { RegistryError, type ByteStream } from "../../index.ts";
import { lookOf, writeOut, type Io } from "../io.ts";
import type { Format, PlanFormat } from "./format.ts";
import { table, type Column } from "./table.ts";
import { safeJson, screenText, type Look } from "./text.ts";

/** Writes results to stdout, and nothing else does. */
export interface Output {
  /** One result; `text` makes what people read: a table, where the command does not know more formats. */
  print<T>(value: T, text: (value: T, look: Look, format: TextFormat) => string): Promise<void>;
  /** Many results, written as they come where the format allows: as lines or as a table for people. */
  list<T>(
    items: AsyncIterable<T> | Iterable<T>,
    text: ((item: T, look: Look) => string) | readonly Column<T>[],
  ): Promise<void>;
  /** A text that is a result by itself, byte for byte; on a terminal, fit for one and with an end of line. */
  document(bytes: Uint8Array): Promise<void>;
  /** Bytes as they are. Throws INVALID on a terminal. */
  bytes(stream: ByteStream): Promise<void>;
}

export type TextFormat = "table" | "tree" | "markdown";

export function output(io: Pick<Io, "stdout" | "env">, asked: PlanFormat = "table"): Output {
  const [format, asText]: [Format, TextFormat] =
    asked === "tree" || asked === "markdown" ? ["table", asked] : [asked, "table"];
  const look = lookOf(() => io.stdout, io.env);
  const out = (text: string): Promise<void> => (text === "" ? Promise.resolve() : writeOut(io, text));
  return {
    async print(value, text) {
      await out(format === "table" ? text(value, look, asText) : await machine(value, format));
    },
    async list(items, text) {
      if (format === "ndjson" || typeof format === "function") {
        for await (const item of items) await out(await machine(item, format));
      } else if (format === "table" && typeof text === "function") {
        for await (const item of items) await out(text(item, look));
      } else {
        const all = await Array.fromAsync(items);
        await out(format === "table" ? table(all, text as never, look) : await machine(all, format));
      }
    },
    document: (bytes) =>
      io.stdout.isTTY ? out(`${screenText(Buffer.from(bytes).toString())}\n`) : writeOut(io, bytes),
    async bytes(stream) {
      if (io.stdout.isTTY) {
        throw new RegistryError("INVALID", "this is not for a terminal", { hint: "write it to a file: -o FILE" });
      }
      for await (const piece of stream) await writeOut(io, piece);
    },
  };
}

/** A value for programs, or by the user's template. */
async function machine(value: unknown, format: Exclude<Format, "table">): Promise<string> {
  if (typeof format === "function") {
    const texts = (Array.isArray(value) ? value : [value]).map((item) => format(item).replace(/\n?$/, "\n"));
    return texts.join("");
  }
  if (format === "ndjson") return `${safeJson(value)}\n`;
  if (format === "json") return `${safeJson(value, 2)}\n`;
  const { stringify } = await import("yaml");
  return stringify(value, { lineWidth: 0 });
}
