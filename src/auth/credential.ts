import { Secret } from "./secret.ts";

/** What proves who we are: a user and password, an identity (refresh) token that buys tokens, or a token used as it is. */
export type Credential = (
  | { readonly kind: "basic"; readonly username: string; readonly password: Secret }
  | { readonly kind: "identity"; readonly token: Secret }
  | { readonly kind: "bearer"; readonly token: Secret }
) & {
  /** Where exactly it was found, for people: a file and the key in it, the names of variables. */
  readonly origin?: string;
};

/** A place where credentials are kept. */
export interface CredentialSource {
  /** What a person calls it: a flag, a file. */
  readonly name: string;
  /** The credential for a repository (`path`, may be empty) of a host (`name[:port]`), as it is now; none is `undefined`. */
  find(host: string, path: string, signal?: AbortSignal): Promise<Credential | undefined>;
}

/** The first credential found wins. */
export function firstOf(...sources: readonly CredentialSource[]): CredentialSource {
  return {
    name: sources.map((source) => source.name).join(", "),
    async find(host, path, signal) {
      for (const source of sources) {
        const credential = await source.find(host, path, signal);
        if (credential) return credential;
      }
      return undefined;
    },
  };
}

/** The user name that says that its password is an identity token, by Docker's convention. */
const identityUser = "<token>";

/** A user and password, which may stand for an identity token. */
export function userPassword(username: string, password: string): Credential {
  if (username === identityUser) return { kind: "identity", token: new Secret(password) };
  return { kind: "basic", username, password: new Secret(password) };
}

/** The Authorization header by the Basic scheme; nothing for a token that is used as it is. */
export function basicHeader(credential: Credential): string | undefined {
  if (credential.kind === "bearer") return undefined;
  const [user, secret] =
    credential.kind === "basic" ? [credential.username, credential.password] : [identityUser, credential.token];
  return `Basic ${Buffer.from(`${user}:${secret.reveal()}`, "utf8").toString("base64")}`;
}

/** A text from elsewhere without what a credential keeps secret, should the other end have sent it back. */
export function withoutSecret(text: string, credential: Credential | undefined): string {
  if (!credential) return text;
  const secret = (credential.kind === "basic" ? credential.password : credential.token).reveal();
  const header = basicHeader(credential)?.slice("Basic ".length);
  return [secret, header].reduce<string>((rest, one) => (one ? rest.replaceAll(one, "[secret]") : rest), text);
}
