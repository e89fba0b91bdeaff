import { randomBytes } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { makeDirectories } from "../../files/make-directories.ts";
import { RegistryError } from "../../oci/error.ts";

const keyLength = 32;
const keyForm = /^[A-Za-z0-9_-]{43}\n?$/;

/** Reads the key that tokens are signed with; where there is none yet, makes one that only its owner can read. */
export async function openKeyFile(file: string): Promise<Uint8Array> {
  const text = await readFile(file, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new RegistryError("INVALID", `cannot read the token key ${file}: ${error.code ?? error.message}`, {
      cause: error,
    });
  });
  if (text === undefined) return await makeKeyFile(file);
  if (!keyForm.test(text)) {
    throw new RegistryError("INVALID", `the token key ${file} is damaged: it is not ${keyLength} bytes in base64url`, {
      hint: `remove ${file}: a new one is made, and whoever is logged in by a token logs in again`,
    });
  }
  return Buffer.from(text.trim(), "base64url");
}

async function makeKeyFile(file: string): Promise<Uint8Array> {
  const key = randomBytes(keyLength);
  const fresh = `${file}.${randomBytes(6).toString("hex")}.tmp`;
  try {
    await makeDirectories(dirname(file), 0o700);
    await writeFile(fresh, `${key.toString("base64url")}\n`, { flag: "wx", mode: 0o600, flush: true });
    await rename(fresh, file);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new RegistryError("INVALID", `cannot write the token key ${file}: ${code ?? message}`, { cause });
  }
  return key;
}
