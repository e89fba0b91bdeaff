import { value, values, type Option } from "./option.ts";
import {
  parseDuration,
  parseHeader,
  parseNumber,
  parseProxyOption,
  parseResolve,
  parseTlsVersion,
} from "./option-values.ts";

const network = "Network:";

/** The way of requests to their hosts: docs/guide/network.md. */
export const proxy: Option<string | false | undefined> = value(
  "--proxy <url>",
  "go through this proxy, or none, whatever the environment says",
  parseProxyOption,
  {
    heading: network,
    completes: ["none"],
    setting: "proxy",
    secret: (url) => url.replace(/^([\w+.-]+:\/\/)?.*@/s, "$1USER:PASSWORD@"),
  },
);
export const resolve: Option<readonly (readonly [host: string, address: string])[]> = values(
  "--resolve <host:port:address>",
  "connect to this address for a host, instead of what DNS says; repeat for more",
  parseResolve,
  { heading: network, rare: true },
);
export const header: Option<readonly (readonly [name: string, value: string])[]> = values(
  "-H, --header <name:value>",
  "send this header to the registries that the command names; repeat for more",
  parseHeader,
  { heading: network, rare: true, secret: (header) => `${/^[^:]*/.exec(header)![0]}: VALUE` },
);
export const minTls: Option<"TLSv1.2" | "TLSv1.3" | undefined> = value(
  "--min-tls <version>",
  "no TLS version below this one: 1.2 or 1.3",
  parseTlsVersion,
  { heading: network, rare: true, completes: ["1.2", "1.3"], setting: "minTls" },
);
export const userAgent: Option<string | undefined> = value(
  "--user-agent <text>",
  "who requests say they are from",
  String,
  { heading: network, rare: true, setting: "userAgent" },
);
export const connectTimeout: Option<number | undefined> = value(
  "--connect-timeout <time>",
  "how long a connection may take, such as 10s (default: 30s)",
  parseDuration,
  { heading: network, rare: true, setting: "connectTimeout" },
);
export const answerTimeout: Option<number | undefined> = value(
  "--answer-timeout <time>",
  "how long an answer may take to begin (default: 5m)",
  parseDuration,
  { heading: network, rare: true, setting: "answerTimeout" },
);
export const idleTimeout: Option<number | undefined> = value(
  "--idle-timeout <time>",
  "how long nothing may come or go (default: 1m)",
  parseDuration,
  { heading: network, rare: true, setting: "idleTimeout" },
);
export const maxIdle: Option<number | undefined> = value(
  "--max-idle <time>",
  "how long an unused connection is kept (default: 90s)",
  parseDuration,
  { heading: network, rare: true, setting: "maxIdle" },
);
export const commandTimeout: Option<number | undefined> = value(
  "--command-timeout <time>",
  "how long the whole command may take (default: as long as it needs)",
  parseDuration,
  { heading: network, rare: true },
);
export const retryDelay: Option<number | undefined> = value(
  "--retry-delay <time>",
  "how long to wait before a failed request is sent again",
  parseDuration,
  { heading: network, rare: true, setting: "retryDelay" },
);
export const quotaReserve: Option<number | undefined> = value(
  "--quota-reserve <count>",
  "leave so many pulls of a registry's rate limit alone",
  parseNumber,
  { heading: network, rare: true, setting: "quotaReserve" },
);
/** All of these. */
export const wayOptions: readonly Option[] = [
  proxy,
  resolve,
  header,
  minTls,
  userAgent,
  connectTimeout,
  answerTimeout,
  idleTimeout,
  maxIdle,
  commandTimeout,
  retryDelay,
  quotaReserve,
];
