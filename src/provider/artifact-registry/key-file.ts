import { isObject } from "../../oci/descriptor.ts";
import { RegistryError } from "../../oci/error.ts";

/** What a file of Google's logins has in it, by its `type`; the keys that a login needs are there. */
export interface KeyFile {
  readonly type: KeyType;
  /** Where it is from, for messages: a path. */
  readonly origin: string;
  /** Its keys as they stand, the needed ones checked. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** Whose login it is, where it tells. */
  readonly account?: string;
}

const needed = {
  service_account: ["client_email", "private_key"],
  authorized_user: ["client_id", "client_secret", "refresh_token"],
  external_account: ["audience", "subject_token_type", "credential_source"],
  external_account_authorized_user: ["client_id", "client_secret", "refresh_token"],
  impersonated_service_account: ["service_account_impersonation_url", "source_credentials"],
} as const;
type KeyType = keyof typeof needed;

const objects: ReadonlySet<string> = new Set(["credential_source", "source_credentials"]);
const universe = "googleapis.com";
const again = "run `gcloud auth application-default login`, or name another file in GOOGLE_APPLICATION_CREDENTIALS";

/** Reads the text of such a file. Throws INVALID with the file and the key that is wrong; never a value. */
export function parseKeyFile(text: string, origin: string): KeyFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fault(origin, "is no JSON");
  }
  return readKeys(value, origin);
}

/** The login that is in a file's `source_credentials`. */
export function sourceOf({ keys, origin }: KeyFile): KeyFile {
  return readKeys(keys["source_credentials"], `source_credentials of ${origin}`);
}

function readKeys(keys: unknown, origin: string): KeyFile {
  if (!isObject(keys)) throw fault(origin, "is no JSON object");
  const { type } = keys;
  if (typeof type !== "string") {
    const isClient = isObject(keys["installed"]) || isObject(keys["web"]);
    throw fault(origin, isClient ? "is an OAuth client, which is no login" : 'has no "type"');
  }
  if (!Object.hasOwn(needed, type)) {
    throw fault(origin, `has the type ${JSON.stringify(type.slice(0, 40))}, not ${Object.keys(needed).join(", ")}`);
  }
  for (const name of needed[type as KeyType]) {
    const isThere = objects.has(name) ? isObject(keys[name]) : typeof keys[name] === "string" && keys[name] !== "";
    if (!isThere) throw fault(origin, `has no "${name}", which a ${type} needs`);
  }
  const domain = keys["universe_domain"];
  if (domain !== undefined && domain !== universe) {
    throw fault(origin, `is of another universe than ${universe}: its "universe_domain" says so`);
  }
  const account = accountOf(keys);
  return { type: type as KeyType, origin, keys, ...(account !== undefined && { account }) };
}

function accountOf(keys: Readonly<Record<string, unknown>>): string | undefined {
  const url = keys["service_account_impersonation_url"];
  const impersonated = typeof url === "string" ? /serviceAccounts\/([^/:]+):/.exec(url)?.[1] : undefined;
  const named = impersonated ?? keys["client_email"] ?? keys["account"];
  return typeof named === "string" && /^[\w.+-]+@[\w.-]+$/.test(named) ? named : undefined;
}

function fault(origin: string, what: string): RegistryError {
  return new RegistryError("INVALID", `${origin} ${what}`, { hint: again });
}
