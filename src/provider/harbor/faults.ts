import type { Credential } from "../../auth/credential.ts";
import { isObject } from "../../oci/descriptor.ts";
import type { ApiFault, JsonAnswer } from "../json-api.ts";
import { objects, textIn } from "./fields.ts";

/** What Harbor means by an answer that is an error; `needs` says who may do what was asked for. */
export function harborFault(
  { status, body }: JsonAnswer,
  login: Credential | undefined,
  needs: string | undefined,
): ApiFault | undefined {
  const [first = {}] = objects(isObject(body) ? body["errors"] : undefined);
  const message = textIn(first, "message");
  const said = (hint: string): ApiFault => ({ message, hint });
  if (status === 401) return said(loginHint(login));
  if (status === 403) return said(message && /exceed the configured/i.test(message) ? quotaHint : roleHint(needs));
  // Harbor says what it does not find.
  if (status === 404 && body === undefined)
    return { code: "NETWORK", message: "this is not Harbor's API", hint: elsewhere };
  if (status === 404) return login ? undefined : said("it may be there for those who log in");
  if (status === 412) return said(preconditionHint(textIn(first, "code"), message));
  return undefined;
}

export const elsewhere = "where the API is elsewhere than the registry, say so in the configuration: hosts.HOST.api";

const quotaHint = "the project's quota is used up; what is deleted counts until Harbor's garbage collection has run";

/** Harbor tells neither strangers nor the users of other projects whether a project is there. */
function roleHint(needs = "a role in the project"): string {
  return `it takes ${needs}; Harbor answers so too where the project is not there`;
}

function loginHint(login: Credential | undefined): string {
  if (!login) return "log in; Harbor answers so too where the project is not there";
  if (login.kind !== "basic") return "Harbor takes a user and a password: log in as a robot or with the CLI secret";
  if (/^robot$/.test(login.username)) {
    return "a shell took the $ and what follows out of the robot's name: write it in single quotes, 'robot$name'";
  }
  if (login.username.includes("$")) {
    return "the robot is gone, disabled or expired, or its secret was renewed: see the project's robot accounts";
  }
  return "who comes in through OIDC logs in with the CLI secret of the profile page, not with the password";
}

function preconditionHint(code: string | undefined, message = ""): string {
  if (/immutable/i.test(message)) return "a tag immutability rule of the project holds it: change that rule first";
  if (/referenced by others/i.test(message)) return "an index has it among its manifests: delete that first";
  if (code === "PROJECTPOLICYVIOLATION") {
    return "the project forbids it by its policy on vulnerabilities or signatures: see the project's configuration";
  }
  return "Harbor holds it by a rule of the project";
}
