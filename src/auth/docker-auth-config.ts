import type { CredentialSource, Environment, OnWarning } from "./credential.ts";
import { findAuth, parseDockerConfig } from "./docker-config.ts";
import { parseSecretJson } from "./secret-json.ts";

const variable = "DOCKER_AUTH_CONFIG";

/**
 * DOCKER_AUTH_CONFIG, the JSON of a config.json of which only `auths` counts, as for Docker. What else is in it is told
 * of: GitLab's runners read helpers out of it too.
 */
export function dockerAuthConfigSource(env: Environment, onWarning?: OnWarning): CredentialSource {
  return {
    name: variable,
    async find(host, path) {
      const text = env[variable];
      if (!text) return undefined;
      const others = Object.keys(parseSecretJson(text, variable)).filter((field) => field !== "auths");
      if (others.length > 0) onWarning?.(`of ${variable} only auths is read, not ${others.join(", ")}`, host);
      return findAuth(parseDockerConfig(text, variable), host, path, variable);
    },
  };
}
