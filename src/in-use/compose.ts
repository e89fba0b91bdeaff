import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { faultyDocument, type Document } from "../document/document.ts";
import { parseYaml } from "../document/yaml.ts";
import { doing, fileError, isErrno } from "../files/file-error.ts";
import type { InUse } from "../plan/in-use.ts";
import { interpolate } from "./interpolate.ts";
import { distinct, usedImage, type InUseFound } from "./used-image.ts";

type Values = Readonly<Record<string, string | undefined>>;
type Map = Readonly<Record<string, unknown>>;

/**
 * Who uses which image in a Compose file: all its services, whatever their profiles, those of files that it includes or extends,
 * and images that are mounted; services of which no image is known are noted. Variables are those of `env`, else of `.env` beside
 * the file; one that is not set, and whatever else hides an image, throws INVALID.
 */
export async function usedInCompose(path: string, env: Values): Promise<InUseFound> {
  const used: InUse[] = [];
  const notes: string[] = [];
  const seen = new Set<string>();
  await read(path);
  if (used.length + notes.length === 0) notes.push(`${path} has no services`);
  return { used: distinct(used), notes };

  async function read(file: string): Promise<void> {
    if (seen.has(resolve(file))) return;
    seen.add(resolve(file));
    const compose = await open(file, env);
    for (const [name, service] of Object.entries(compose.services)) await readService(compose, name, service);
    for (const one of compose.included) await read(one);
  }

  async function readService(compose: Compose, name: string, service: Map): Promise<void> {
    const by = `${compose.document.name}: service ${name}`;
    const image = await imageOf(compose, name, service);
    if (image !== undefined) used.push(usedImage(image, by));
    else notes.push(`${by} has no image${service["build"] === undefined ? "" : ": it is built"}`);
    for (const volume of listOf(service["volumes"])) {
      const { type, source } = mapOf(volume);
      if (type === "image" && typeof source === "string")
        used.push(usedImage(compose.fill(source, ["services", name, "volumes"]), by));
    }
  }

  /** The image of a service, its own or that of the one it extends. */
  async function imageOf(
    compose: Compose,
    name: string,
    service: Map,
    above: readonly string[] = [],
  ): Promise<string | undefined> {
    const { document, file, services } = compose;
    const { image, extends: parent } = service;
    if (typeof image === "string") return compose.fill(image, ["services", name, "image"]);
    if (image !== undefined && image !== null) {
      throw faultyDocument(document, [{ path: ["services", name, "image"], message: "is no text" }]);
    }
    if (parent === undefined) return undefined;
    const from = typeof parent === "string" ? { service: parent } : mapOf(parent);
    const [of, at] = [from["service"], from["file"]];
    const other =
      typeof at === "string"
        ? await open(join(dirname(file), compose.fill(at, ["services", name, "extends"])), env)
        : compose;
    const found = typeof of === "string" ? other.services[of] : undefined;
    const key = `${other.file}\n${String(of)}`;
    if (found === undefined || above.includes(key) || (services === other.services && of === name)) {
      throw faultyDocument(document, [{ path: ["services", name, "extends"], message: "leads to no service" }]);
    }
    return imageOf(other, of as string, found, [...above, key]);
  }
}

/** A file that was read. */
interface Compose {
  readonly document: Document;
  readonly file: string;
  readonly services: Readonly<Record<string, Map>>;
  /** The files that it includes. */
  readonly included: readonly string[];
  /** Puts the variables into one of its texts. */
  fill(text: string, path: readonly string[]): string;
}

async function open(file: string, env: Values): Promise<Compose> {
  const document = parseYaml(await doing(`read ${file}`, () => readFile(file, "utf8")), file);
  const top = mapOf(document.value);
  const values = { ...(await variablesBeside(file)), ...env };
  const fill = (text: string, path: readonly string[]): string => {
    try {
      return interpolate(text, values);
    } catch (cause) {
      throw faultyDocument(document, [{ path, message: (cause as Error).message }]);
    }
  };
  if (top["services"] === undefined && top["include"] === undefined) {
    throw faultyDocument(document, [{ path: [], message: "this is no Compose file: it has no services" }]);
  }
  const included = listOf(top["include"]).flatMap((one, i) => {
    const paths = typeof one === "string" ? [one] : listOf(mapOf(one)["path"]);
    return (paths.length > 0 ? paths : [undefined]).map((text) => {
      const path = typeof text === "string" ? fill(text, ["include"]) : "";
      if (path === "" || /^[a-z][a-z0-9+.-]*:|^git@/.test(path)) {
        throw faultyDocument(document, [
          { path: ["include", i], message: "is no file, and so its images are not known" },
        ]);
      }
      return join(dirname(file), path);
    });
  });
  return { document, file, services: servicesOf(document, top["services"]), included, fill };
}

function servicesOf(document: Document, services: unknown): Compose["services"] {
  if (services === undefined) return {};
  if (!isMap(services)) throw faultyDocument(document, [{ path: ["services"], message: "is no map" }]);
  const all = Object.entries(mapOf(services));
  const faults = all.flatMap(([name, service]) =>
    isMap(service) ? [] : [{ path: ["services", name], message: "is no map" }],
  );
  if (faults.length > 0) throw faultyDocument(document, faults);
  return Object.fromEntries(all.map(([name, service]) => [name, mapOf(service)]));
}

async function variablesBeside(file: string): Promise<Values> {
  const path = join(dirname(file), ".env");
  try {
    return parseEnv(await readFile(path, "utf8"));
  } catch (error) {
    if (isErrno(error, "ENOENT")) return {};
    throw fileError(error, `read ${path}`);
  }
}

const isMap = (value: unknown): value is Map => typeof value === "object" && value !== null && !Array.isArray(value);

/** A map with what `<<` takes into it; of anything else, an empty one. */
function mapOf(value: unknown): Map {
  if (!isMap(value)) return {};
  const { "<<": merged, ...own } = value;
  const taken = [merged].flat().toReversed().map(mapOf);
  return Object.assign({}, ...taken, own) as Map;
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];
