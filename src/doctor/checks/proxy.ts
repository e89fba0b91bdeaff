import { maskUserinfo } from "../../oci/userinfo.ts";
import { fault, fine, type Step } from "../diagnosis.ts";
import type { Bench } from "../context.ts";
import type { Place } from "../place.ts";
import { formatProxy, routeTo, type Route } from "../route.ts";

/** Which way requests take: straight, or through a proxy, and who says so. */
export function checkProxy({ host }: Place, { settingsOf, proxyEnv }: Bench): Step<Route> {
  const route = routeTo(new URL(`https://${host}/`), settingsOf, proxyEnv);
  if (route.kind === "broken") {
    const broken = fault(
      "proxy",
      `${route.from} is not the URL of a proxy: ${JSON.stringify(maskUserinfo(route.text))}`,
      {
        code: "INVALID",
        cause: "a proxy is written http://HOST:PORT or https://HOST:PORT",
        command: `env | grep -i proxy`,
      },
    );
    return { told: [broken] };
  }
  return { told: [fine("proxy", describe(route), { host })], known: route };
}

function describe(route: Route): string {
  if (route.kind === "proxy") return `requests go through ${formatProxy(route.url)} (${route.from})`;
  return route.exempt ? `none: ${route.exempt.variable} has ${JSON.stringify(route.exempt.by)}` : "none";
}
