/** A version of Python's (https://peps.python.org/pep-0440/), as its public parts are written. */
export interface Pep440 {
  /** In its normal form: `1.2.3rc2`, `1.0.dev4`. */
  readonly clean: string;
  readonly release: readonly number[];
  /** No pre-, post- or development release. */
  readonly isFinal: boolean;
}

// The expression of PEP 440's appendix B.
const form =
  /^v?(?:(\d+)!)?(\d+(?:\.\d+)*)(?:[-_.]?(a|b|c|rc|alpha|beta|pre|preview)[-_.]?(\d+)?)?(?:-(\d+)|[-_.]?(post|rev|r)[-_.]?(\d+)?)?(?:[-_.]?(dev)[-_.]?(\d+)?)?(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?$/i;
const letters: Readonly<Record<string, string>> = { alpha: "a", beta: "b", c: "rc", pre: "rc", preview: "rc" };

/** Reads a version; undefined where it is none. */
export function parsePep440(text: string): Pep440 | undefined {
  const found = form.exec(text.trim());
  if (!found) return undefined;
  const [, epoch, release = "", letter, pre, implicit, post, postNumber, dev, devNumber, local] = found;
  const numbers = release.split(".").map(Number);
  const name = letter?.toLowerCase();
  const clean = [
    epoch === undefined || Number(epoch) === 0 ? "" : `${Number(epoch)}!`,
    numbers.join("."),
    name === undefined ? "" : `${letters[name] ?? name}${Number(pre ?? 0)}`,
    implicit === undefined && post === undefined ? "" : `.post${Number(implicit ?? postNumber ?? 0)}`,
    dev === undefined ? "" : `.dev${Number(devNumber ?? 0)}`,
    local === undefined ? "" : `+${local.toLowerCase().replace(/[-_]/g, ".")}`,
  ].join("");
  return { clean, release: numbers, isFinal: [letter, implicit, post, dev].every((part) => part === undefined) };
}
