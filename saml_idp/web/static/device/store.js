// The IDs of this device, with their keys, in IndexedDB. A key is a CryptoKey that cannot be
// exported: the database holds a handle, never the number.

const NAME = "approvals";
const IDS = "ids";

function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function opened() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(IDS, { keyPath: "deviceId" });
  return settled(request);
}

async function within(mode, act) {
  const database = await opened();
  try {
    const transaction = database.transaction(IDS, mode);
    const result = await settled(act(transaction.objectStore(IDS)));
    if (mode === "readwrite") {
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
    }
    return result;
  } finally {
    database.close();
  }
}

/** Return every ID kept here: {deviceId, identity, idpName, entityId, deviceName, privateKey}. */
export async function allIds() {
  const found = await within("readonly", (ids) => ids.getAll());
  return found.filter((id) => id.identity);
}

/** Keep *id*; the one of the same device ID is replaced. */
export function keepId(id) {
  return within("readwrite", (ids) => ids.put(id));
}

/** Forget the ID of *deviceId*, its key included. */
export function forgetId(deviceId) {
  return within("readwrite", (ids) => ids.delete(deviceId));
}
