import {
  isRepository,
  maskUserinfo,
  parseLoginKey,
  parseReference,
  RegistryError,
  type LoginPlace,
  type Wish,
} from "../index.ts";
import { mayBeImage } from "./host-or-image.ts";
import { hostOf } from "./host-or-image.ts";

/** Reads what a login is for: `HOST`, `HOST/PATH`, or an address such as Docker takes. Nothing means Docker Hub. */
export function parseLoginPlace(text: string | undefined): LoginPlace {
  if (text === undefined) return { host: parseReference("x").registry, path: "" };
  const { host, path } = parseLoginKey(text);
  const known = hostOf(host);
  if (known === undefined) {
    const shown = maskUserinfo(text);
    throw new RegistryError("INVALID", `${JSON.stringify(shown)} does not name a registry`, {
      hint:
        shown === text
          ? "write its host, such as registry.example or localhost:5000; without one, Docker Hub is meant"
          : "leave user and password out: -u USER --password-stdin, or they are asked for",
    });
  }
  if (path !== "" && !isRepository(path)) {
    throw new RegistryError("INVALID", `${JSON.stringify(path)} cannot be a repository's path`, {
      hint: "without a tag: registry.example/team",
    });
  }
  // The names that one registry goes by are one name here.
  return { host: parseReference(`${known}/x/y`).registry, path };
}

/** The place as a user would type it. */
export function formatLoginPlace({ host, path }: LoginPlace): string {
  return path === "" ? host : `${host}/${path}`;
}

/** Reads an image as what somebody wants access to; without a tag, `latest` is meant. */
export function parseWish(reference: string, push: boolean): Wish {
  const bare = reference.replace(/^docker:\/\//, "");
  const host = hostOf(bare);
  if (host !== undefined && !mayBeImage(host)) {
    throw new RegistryError("INVALID", `${JSON.stringify(reference)} names a registry, and access is to a repository`, {
      hint: "write HOST/REPOSITORY[:TAG]; for a registry as a whole, use gantry auth check",
    });
  }
  const { registry, repository, digest, tag = "latest" } = parseReference(bare);
  return { host: registry, repository, ref: digest ?? tag, push };
}
