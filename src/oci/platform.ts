import { RegistryError } from "./error.ts";

/** What an image runs on, in Go's names (image-spec, "Image Index": platform). */
export interface Platform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

const architectures: ReadonlyMap<string, string> = new Map([
  ["aarch64", "arm64"],
  ["armel", "arm/v6"],
  ["armhf", "arm/v7"],
  ["i386", "386"],
  ["i686", "386"],
  ["x86_64", "amd64"],
  ["x86-64", "amd64"],
]);
const systems: ReadonlyMap<string, string> = new Map([["macos", "darwin"]]);
/** The level of an architecture that names no variant. */
const floors: ReadonlyMap<string, number> = new Map([
  ["amd64", 1],
  ["arm", 7],
  ["arm64", 8],
]);
/** Systems that images are made for: none of them is an architecture. */
const systemNames = ["linux", "windows", "darwin", "macos", "freebsd", "netbsd", "openbsd", "android", "solaris"];

/**
 * Reads `os/architecture[/variant]`, `os(version)/architecture`, or an architecture alone (of Linux), with the common
 * other names (`x86_64`, `aarch64`, `armhf`). Throws INVALID.
 */
export function parsePlatform(text: string): Platform {
  const parts = /^(?:([A-Za-z0-9_.-]+)(?:\(([^()]*)\))?\/)?([A-Za-z0-9_-]+)(?:\/([A-Za-z0-9_.-]+))?$/.exec(text.trim());
  if (!parts) {
    throw new RegistryError("INVALID", `invalid platform ${JSON.stringify(text)}`, {
      hint: "write os/architecture or os/architecture/variant, such as linux/amd64 or linux/arm/v7",
    });
  }
  const [, os = "linux", version, architecture = "", variant] = parts;
  if (systemNames.includes(architecture.toLowerCase())) {
    throw new RegistryError("INVALID", `invalid platform ${JSON.stringify(text)}: it names no architecture`, {
      hint: `write the architecture too, such as ${architecture.toLowerCase()}/amd64`,
    });
  }
  return normalizePlatform({
    os,
    architecture,
    ...(variant && { variant }),
    ...(version && { "os.version": version }),
  });
}

/** The same platform in canonical names: `aarch64` is `arm64`, `arm64/v8` and `amd64/v1` go without their variant, `arm` is `arm/v7`. */
export function normalizePlatform(platform: Platform): Platform {
  const os = platform.os.toLowerCase();
  const name = platform.architecture.toLowerCase();
  const [architecture = "", implied] = (architectures.get(name) ?? name).split("/");
  let variant = platform.variant?.toLowerCase() || implied;
  if (variant && /^\d/.test(variant)) variant = `v${variant}`;
  if (architecture === "arm64" && (variant === "v8" || variant === "v8.0")) variant = undefined;
  if (architecture === "arm64" && variant === "v9.0") variant = "v9";
  if (architecture === "amd64" && variant === "v1") variant = undefined;
  if (architecture === "arm" && !variant) variant = "v7";
  const { variant: _, ...rest } = platform;
  return { ...rest, os: systems.get(os) ?? os, architecture, ...(variant && { variant }) };
}

/** Writes a platform as `os/architecture[/variant]`, with a Windows version in brackets. */
export function formatPlatform(platform: Platform): string {
  const os = platform["os.version"] ? `${platform.os}(${platform["os.version"]})` : platform.os;
  return [os, platform.architecture, platform.variant].filter(Boolean).join("/");
}

/** The platform of this process, as images for it name it; Linux wherever containers run in a Linux VM. */
export function hostPlatform(): Platform {
  const architecture = { x64: "amd64", ia32: "386", ppc64: "ppc64le" }[process.arch as string] ?? process.arch;
  return normalizePlatform({ os: process.platform === "win32" ? "windows" : "linux", architecture });
}

/** Whether an image for `offered` is one for `wanted`: same system and architecture, same variant, and the version where one is asked for. */
export function isPlatform(wanted: Platform, offered: Platform): boolean {
  const [a, b] = [normalizePlatform(wanted), normalizePlatform(offered)];
  return a.os === b.os && a.architecture === b.architecture && a.variant === b.variant && versionFits(a, b);
}

/**
 * The item that runs best on `wanted`: its very variant, else the nearest lower one (an arm/v7 machine runs arm/v6).
 * Undefined where nothing runs. Of equals, the first.
 */
export function choosePlatform<T extends { readonly platform?: Platform }>(
  wanted: Platform,
  items: readonly T[],
): T | undefined {
  const machine = normalizePlatform(wanted);
  let best: { item: T; rank: number } | undefined;
  for (const item of items) {
    if (!item.platform) continue;
    const rank = fitness(machine, normalizePlatform(item.platform));
    if (rank > 0 && rank > (best?.rank ?? 0)) best = { item, rank };
  }
  return best?.item;
}

/** 0 where it does not run; else higher for a nearer variant. */
function fitness(machine: Platform, offered: Platform): number {
  if (machine.os !== offered.os || machine.architecture !== offered.architecture || !versionFits(machine, offered))
    return 0;
  const [has, needs] = [level(machine), level(offered)];
  if (Number.isNaN(has) || Number.isNaN(needs)) return machine.variant === offered.variant ? 1000 : 0;
  return needs > has ? 0 : 1000 - (has - needs);
}

function level(platform: Platform): number {
  return platform.variant ? Number(platform.variant.replace(/^v/, "")) : (floors.get(platform.architecture) ?? 0);
}

/** Windows images run on one build of Windows: the first three numbers of the version. */
function versionFits(wanted: Platform, offered: Platform): boolean {
  const [a, b] = [wanted["os.version"], offered["os.version"]];
  if (!a || !b) return true;
  return a === b || b.startsWith(`${a}.`) || build(a) === build(b);
}

function build(version: string): string {
  return version.split(".").slice(0, 3).join(".");
}
