import { loginNames } from "../oci/reference.ts";
import type { CredentialSource } from "./credential.ts";
import type { HelperLogins } from "./helper-logins.ts";

/** Helpers for all hosts, in order, and where the list of them stands, for people; looked up when it is needed. */
export type HelperList = () => Promise<{ readonly names: readonly string[]; readonly origin: string } | undefined>;

/** The member of such a list that stands for the files of Podman and Docker (containers-registries.conf(5)). */
const filesMember = "containers-auth.json";

/** The helpers of a list that are to be asked before the files, all where it does not say where those come, or after. */
export function helperListSource(
  list: HelperList,
  part: "before files" | "after files",
  helpers: HelperLogins,
): CredentialSource {
  return {
    name: `credential-helpers, ${part}`,
    async find(host, _path, signal) {
      const { names = [], origin = "" } = (await list()) ?? {};
      const files = names.includes(filesMember) ? names.indexOf(filesMember) : names.length;
      const asked = part === "before files" ? names.slice(0, files) : names.slice(files + 1);
      for (const name of asked) {
        const credential = await helpers.find(name, origin, loginNames(host), signal);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}
