/** Who is at this page: a key or token kept for this tab alone, sent in a header and never in an address. */

const KEPT = "gridscheme.credential";

/** Take a credential from the fragment (`#key=...`), which no server is sent, and take it out of the address. */
export function takeFromAddress() {
  const found = /^#key=([\w.~+/=-]{1,8192})$/.exec(location.hash);
  if (!found) return false;
  signIn(found[1]);
  history.replaceState(null, "", location.pathname + location.search);
  return true;
}

export function signIn(credential) {
  sessionStorage.setItem(KEPT, credential.trim());
}

export function signOut() {
  sessionStorage.removeItem(KEPT);
}

export function isSignedIn() {
  return sessionStorage.getItem(KEPT) !== null;
}

/** Return the header that says who asks; none for anyone. */
export function authorization() {
  const credential = sessionStorage.getItem(KEPT);
  if (credential === null) return {};
  return credential.startsWith("gsk_") ? { "X-API-Key": credential } : { Authorization: `Bearer ${credential}` };
}
