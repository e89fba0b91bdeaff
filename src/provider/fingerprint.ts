/** What a service sends for a challenge. `HOST` in a pattern stands for the registry's own host. */
export interface Fingerprint {
  readonly scheme: "basic" | "bearer";
  readonly realm: RegExp;
  readonly service?: RegExp;
}

/** What a service takes for a login; `{registry}` in the command stands for its host. */
export interface LoginAdvice {
  readonly cause: string;
  readonly command?: string;
}

/** A realm at the registry itself. */
export const ownRealm = (path: string): RegExp => new RegExp(`^https?://HOST${path}$`);
