import { collect } from "../../src/oci/stream.ts";
import { pack, type Header } from "tar-stream";

/** A member of an archive to be made: its bytes, or what kind of link it is and where it leads. */
export interface TarEntry {
  readonly name: string;
  readonly bytes?: Uint8Array | string;
  readonly symlink?: string;
  readonly hardlink?: string;
  readonly pax?: Record<string, string>;
  readonly type?: Header["type"];
}

/** A tar archive, made by somebody else's code. */
export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, bytes = "", symlink, hardlink, pax, type } of entries) {
    const kind = symlink === undefined ? (hardlink === undefined ? (type ?? "file") : "link") : "symlink";
    const linkname = symlink ?? hardlink;
    const header = {
      name,
      type: kind,
      mtime: new Date(0),
      ...(linkname !== undefined && { linkname }),
      ...(pax && { pax }),
    };
    tar.entry(header, kind === "file" ? Buffer.from(bytes) : "");
  }
  tar.finalize();
  return Buffer.from(await collect(tar as AsyncIterable<Uint8Array>, 1024 ** 3));
}
