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
 * images that are mounted, and models; services of which no image is known are noted. Variables are those of `env`, else of `.env`
 * beside the file; one that is not set, and whatever else hides an image, throws INVALID.
 */
export async function usedInCompose(path: string, env: Values): Promise<InUseFound> {
  const used: InUse[] = [];
  const notes: string[] = [];
  const { COMPOSE_ENV_FILES: named } = env;
  await read({ path, folder: dirname(path), ...(named && { envFiles: named.split(",") }) }, env, []);
  if (used.length + notes.length === 0) notes.push(`${path} has no services`);
  return { used: distinct(used), notes };

  async function read(one: Included, values: Values, above: readonly string[]): Promise<void> {
    const file = resolve(one.path);
    if (above.includes(file)) return;
    const compose = await open(one.path, one.folder, await variablesOf(one, values));
    for (const [name, service] of Object.entries(compose.services)) await readService(compose, name, service);
    for (const [name, model] of Object.entries(compose.models)) readModel(compose, name, model);
    for (const next of compose.included) await read(next, compose.values, [...above, file]);
  }

  async function readService(compose: Compose, name: string, service: Map): Promise<void> {
    const by = `${compose.document.name}: service ${name}`;
    const all = await extendedBy({ compose, name, service });
    const own = all.find((one) => one.service["image"] !== undefined && one.service["image"] !== null);
    if (own) used.push(usedImage(textAt(own.compose, ["services", own.name, "image"], own.service["image"]), by));
    else notes.push(`${by} has no image${all.some((one) => one.service["build"]) ? ": it is built" : ""}`);
    for (const one of all) {
      for (const volume of listOf(one.service["volumes"])) {
        const { type, source } = mapOf(volume);
        if (type === "image" && typeof source === "string")
          used.push(usedImage(one.compose.fill(source, ["services", one.name, "volumes"]), by));
      }
    }
  }

  function readModel(compose: Compose, name: string, model: unknown): void {
    const text = textAt(compose, ["models", name, "model"], mapOf(model)["model"]);
    used.push(usedImage(text, `${compose.document.name}: model ${name}`));
  }
}

interface Service {
  readonly compose: Compose;
  readonly name: string;
  readonly service: Map;
}

/** A service, the one that it extends, and so on. */
async function extendedBy(own: Service, above: readonly string[] = []): Promise<readonly Service[]> {
  const { compose, name, service } = own;
  const { extends: parent } = service;
  if (parent === undefined || parent === null) return [own];
  const from = typeof parent === "string" ? { service: parent } : mapOf(parent);
  const [of, at] = [from["service"], from["file"]];
  const path =
    typeof at === "string" ? join(compose.folder, compose.fill(at, ["services", name, "extends"])) : undefined;
  const other = path === undefined ? compose : await open(path, dirname(path), compose.values);
  const found = typeof of === "string" ? other.services[of] : undefined;
  const key = `${other.file}\n${String(of)}`;
  if (found === undefined || above.includes(key) || (other === compose && of === name)) {
    throw faultyDocument(compose.document, [{ path: ["services", name, "extends"], message: "leads to no service" }]);
  }
  return [own, ...(await extendedBy({ compose: other, name: of as string, service: found }, [...above, key]))];
}

function textAt(compose: Compose, path: readonly string[], text: unknown): string {
  if (typeof text === "string") return compose.fill(text, path);
  throw faultyDocument(compose.document, [{ path, message: "is no text" }]);
}

/** A file to read, the directory that its paths are relative to, and the files of its variables, `.env` there unless they are named. */
interface Included {
  readonly path: string;
  readonly folder: string;
  readonly envFiles?: readonly string[];
}

/** A file that was read. */
interface Compose {
  readonly document: Document;
  readonly file: string;
  readonly folder: string;
  readonly services: Readonly<Record<string, Map>>;
  readonly models: Map;
  readonly values: Values;
  /** The files that it includes. */
  readonly included: readonly Included[];
  /** Puts the variables into one of its texts. */
  fill(text: string, path: readonly string[]): string;
}

async function open(file: string, folder: string, values: Values): Promise<Compose> {
  const document = parseYaml(await doing(`read ${file}`, () => readFile(file, "utf8")), file);
  const top = mapOf(document.value);
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
    const { path, project_directory: project, env_file: env } = typeof one === "string" ? { path: one } : mapOf(one);
    const pathOf = (text: unknown): string => {
      const filled = typeof text === "string" ? fill(text, ["include"]) : "";
      if (filled !== "" && !/^[a-z][a-z0-9+.-]*:|^git@/.test(filled)) return resolve(folder, filled);
      const message = "is no file, and so its images are not known";
      throw faultyDocument(document, [{ path: ["include", i], message }]);
    };
    const paths = listOf(path ?? "").map(pathOf);
    const below = project === undefined ? dirname(paths[0] ?? "") : pathOf(project);
    const envFiles = listOf(env).map(pathOf);
    return paths.map((one) => ({ path: one, folder: below, ...(envFiles.length > 0 && { envFiles }) }));
  });
  const { services, models } = top;
  return {
    document,
    file,
    folder,
    services: servicesOf(document, services),
    models: mapOf(models),
    values,
    included,
    fill,
  };
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

/**
 * The variables of a file's `.env`, or of those that are named in its place, below those that are set: what includes it goes before.
 * (Compose's documentation of `include`.)
 */
async function variablesOf({ folder, envFiles }: Included, set: Values): Promise<Values> {
  const found: Record<string, string> = {};
  for (const path of envFiles ?? [join(folder, ".env")]) {
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (!envFiles && isErrno(error, "ENOENT")) return "";
      throw fileError(error, `read ${path}`);
    });
    const values = parseEnv(text.replace(/^\u{FEFF}/u, ""));
    // They come sorted, and each may have those before it in it.
    const names = [...text.matchAll(/^\W*(?:export\s+)?([\w.-]+)\s*=/gm)].map(([, name]) => name!);
    for (const name of new Set([...names, ...Object.keys(values)]))
      if (values[name] !== undefined) found[name] = filled(values[name], { ...found, ...set });
  }
  return { ...found, ...set };
}

/** A variable's text with those in it; as it stands where one is not set: perhaps it is not asked for. */
function filled(text: string, values: Values): string {
  try {
    return interpolate(text, values);
  } catch {
    return text;
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
