import { RegistryError } from "../oci/error.ts";
import {
  userPassword,
  type Credential,
  type CredentialSource,
  type Environment,
  type OnWarning,
} from "./credential.ts";
import { keysFor, normalizeKey } from "./keys.ts";
import { Secret } from "./secret.ts";

/**
 * GANTRY_USERNAME with GANTRY_PASSWORD, or GANTRY_TOKEN, for the one registry (or `host/path`) that GANTRY_REGISTRY names.
 * Throws INVALID where that does not name one, as nothing may go to whatever host is asked for.
 */
export function gantryVariablesSource(env: Environment): CredentialSource {
  return {
    name: "GANTRY_REGISTRY, GANTRY_USERNAME, GANTRY_PASSWORD, GANTRY_TOKEN",
    async find(host, path) {
      const set = ["GANTRY_USERNAME", "GANTRY_PASSWORD", "GANTRY_TOKEN"].filter((name) => env[name]);
      if (set.length === 0) return undefined;
      const registry = env["GANTRY_REGISTRY"];
      if (!registry) {
        throw new RegistryError("INVALID", `${set.join(" and ")} set, but not the registry to log in to`, {
          hint: "set GANTRY_REGISTRY to its host",
        });
      }
      const credential = readVariables(env, "GANTRY");
      if (!credential) {
        throw new RegistryError("INVALID", `${set.join(" and ")} set, but no whole login`, {
          hint: "set GANTRY_USERNAME and GANTRY_PASSWORD, or GANTRY_TOKEN",
        });
      }
      return keysFor(host, path).includes(normalizeKey(registry)) ? credential : undefined;
    },
  };
}

/**
 * `<HOST>_USERNAME` with `<HOST>_PASSWORD` or `<HOST>_TOKEN`, or `<HOST>_TOKEN` alone, which is used as it is. HOST is the
 * host, or `host/path` (the longest wins), in upper case with `_` for all but letters and digits.
 */
export function hostVariablesSource(env: Environment, onWarning?: OnWarning): CredentialSource {
  return {
    name: "<HOST>_USERNAME, <HOST>_PASSWORD, <HOST>_TOKEN",
    async find(host, path) {
      for (const prefix of keysFor(host, path).flatMap(variableNames)) {
        const credential = readVariables(env, prefix);
        if (credential) return credential;
        const half = ["USERNAME", "PASSWORD"].map((name) => `${prefix}_${name}`).find((name) => env[name]);
        if (half !== undefined) onWarning?.(`${half} is set, but is no whole login alone`, host);
      }
      return undefined;
    },
  };
}

/** How a host's variables may begin: also with `:` left as it is, as OSSB has it, and with `_` before a digit, for shells. */
function variableNames(key: string): readonly string[] {
  const name = key.toUpperCase().replace(/[^A-Z0-9]/g, "_");
  const kept = key.includes("/") ? name : key.toUpperCase().replace(/[.-]/g, "_");
  return [...new Set([name, kept, ...(/^\d/.test(name) ? [`_${name}`] : [])])];
}

function readVariables(env: Environment, prefix: string): Credential | undefined {
  const [user, password, token] = ["USERNAME", "PASSWORD", "TOKEN"].map((name) => env[`${prefix}_${name}`]);
  const secret = password || token;
  if (user && secret) {
    const names = `${prefix}_USERNAME and ${prefix}_${password ? "PASSWORD" : "TOKEN"}`;
    return { ...userPassword(user, secret), origin: names };
  }
  return token ? { kind: "bearer", token: new Secret(token), origin: `${prefix}_TOKEN` } : undefined;
}

/** The variables by which a service, or its pipelines, give a login for one host. */
export interface ServiceVariables {
  /** The host, or the variable that names it. */
  readonly host: string | { readonly variable: string };
  /** The variable with the user, and who it is where that is not set; without either there is no login. */
  readonly user: { readonly variable?: string; readonly otherwise?: string };
  /** The variables that may have the password; the first that is set counts. */
  readonly passwords: readonly string[];
  /** The variable with a token that is used as it is, where there is no user. */
  readonly token?: string;
}

/** Logins from variables of services, each for the very host it is for. */
export function serviceVariablesSource(env: Environment, services: readonly ServiceVariables[]): CredentialSource {
  return {
    name: services.flatMap(({ passwords }) => passwords).join(", "),
    async find(host) {
      for (const service of services) {
        const { host: named } = service;
        const key = typeof named === "string" ? named : env[named.variable];
        if (!key || !keysFor(host, "").includes(normalizeKey(key))) continue;
        const credential = readService(env, service);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

function readService(env: Environment, { user, passwords, token }: ServiceVariables): Credential | undefined {
  const username = (user.variable && env[user.variable]) || user.otherwise;
  const variable = passwords.find((name) => env[name]);
  if (username && variable !== undefined) {
    const set = [user.variable, variable].filter((name) => name !== undefined && env[name]);
    return { ...userPassword(username, env[variable]!), origin: set.join(" and ") };
  }
  return token && env[token] ? { kind: "bearer", token: new Secret(env[token]), origin: token } : undefined;
}
