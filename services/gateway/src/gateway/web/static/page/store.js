// The last walls, kept on the device in IndexedDB. A browser that keeps nothing (private windows) has an empty list.

const MOST = 12;
const MOST_BYTES = 150e6;
const WALLS = "walls";

let database;

function open() {
  database ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("climbmate", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(WALLS, { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return database;
}

async function transact(mode, work) {
  const transaction = (await open()).transaction(WALLS, mode);
  const request = work(transaction.objectStore(WALLS));
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve(request.result);
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? request.error);
  });
}

/** All kept walls, the latest first. */
export async function walls() {
  try {
    return (await transact("readonly", (store) => store.getAll())).sort((a, b) => b.at - a.at);
  } catch {
    return [];
  }
}

export const wall = (key) => transact("readonly", (store) => store.get(key)).catch(() => undefined);
export const remove = (key) => transact("readwrite", (store) => store.delete(key)).catch(() => undefined);

/** Keeps a wall { key, at, name, photo, thumb, answer }; the oldest ones go when there are too many or too large ones. */
export async function keep(record) {
  const older = (await walls()).filter(({ key }) => key !== record.key);
  let bytes = record.photo.size;
  const tooOld = older.filter(({ photo }, index) => {
    bytes += photo.size;
    return index + 1 >= MOST || bytes > MOST_BYTES;
  });
  for (const { key } of tooOld) await remove(key);
  const put = () => transact("readwrite", (store) => store.put(record));
  await put().catch(async () => {
    for (const { key } of older.slice(Math.floor(older.length / 2))) await remove(key); // the device is full: half of them go
    await put().catch(() => undefined);
  });
}
