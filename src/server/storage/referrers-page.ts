import type { Descriptor } from "../../oci/descriptor.ts";
import type { Referrers, ReferrersPage } from "./storage.ts";

/** As many of the descriptors as a page takes; asks for no more of them than it must. */
export function cutReferrers(descriptors: Iterable<Descriptor>, { limit, bytes }: ReferrersPage): Referrers {
  const page: Descriptor[] = [];
  let total = 0;
  for (const descriptor of descriptors) {
    total += JSON.stringify(descriptor).length;
    if (page.length === limit || (page.length > 0 && total > bytes)) return { descriptors: page, more: true };
    page.push(descriptor);
  }
  return { descriptors: page, more: false };
}
