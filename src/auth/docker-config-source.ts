import { loginNames } from "../oci/reference.ts";
import type { Credential, CredentialSource, OnWarning } from "./credential.ts";
import { findAuth, findHelper, parseDockerConfig, type DockerConfig } from "./docker-config.ts";
import type { HelperLogins } from "./helper-logins.ts";
import { exposedWarning, readSecretFile, readSecretFileNow } from "./secret-file.ts";
import { invalidLogin } from "./secret-json.ts";

export interface DockerConfigOptions {
  /** Runs the helpers that the file names; without it they are passed over. */
  readonly helpers?: HelperLogins;
  readonly onWarning?: OnWarning;
  /** `dockercfg`: the file is a bare map of logins, as ~/.dockercfg is. */
  readonly form?: "config" | "dockercfg";
  /** Whether somebody named the file, so that it must be there. */
  readonly required?: boolean;
}

/**
 * The logins of Docker's config.json or Podman's auth.json, read anew each time it is asked: the helper of the host, then
 * of the `auths` that fit a repository (`host/path`, `host`, `https://host/v1/`) the longest, then the helper for all
 * hosts. No file is no credential, unless it is required; one that is not right throws INVALID with the place in it.
 */
export function dockerConfigSource(
  file: string,
  name: string = file,
  { helpers, onWarning, form, required }: DockerConfigOptions = {},
): CredentialSource {
  return {
    name,
    async find(host, path, signal) {
      const read = await readSecretFile(file, signal);
      if (!read && required) return invalidLogin(`${file} is not there`, "name another file, or log in into it");
      if (!read) return undefined;
      const config = parseDockerConfig(read.text, file, form);
      const [key, helper = ""] = findHelper(config, host) ?? [];
      const declared = `${file}: credHelpers[${JSON.stringify(key)}]`;
      const kept = helper === "" ? undefined : await helpers?.find(helper, declared, loginNames(host), signal);
      if (kept) return kept;
      const written = findAuth(config, host, path, file);
      if (written && read.isExposed) onWarning?.(exposedWarning(file), host);
      return written ?? (key === undefined ? await stored(config, file, host, helpers, signal) : undefined);
    },
  };
}

async function stored(
  { credsStore }: DockerConfig,
  file: string,
  host: string,
  helpers: HelperLogins | undefined,
  signal: AbortSignal | undefined,
): Promise<Credential | undefined> {
  if (credsStore === undefined) return undefined;
  return await helpers?.find(credsStore, `${file}: credsStore`, loginNames(host), signal);
}

/** The headers that Docker's config.json wants sent to every registry (`HttpHeaders`); none where there is no file. */
export function readHttpHeaders(file: string): Readonly<Record<string, string>> {
  const read = readSecretFileNow(file);
  return read ? parseDockerConfig(read.text, file).httpHeaders : {};
}
