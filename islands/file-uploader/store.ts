// A small table in this browser's IndexedDB. What cannot be kept (private window, full disk) is not kept, and says so by `false`.

export class Store<Value> {
  private readonly name: string;
  private opened: Promise<IDBDatabase> | undefined;

  constructor(name: string) {
    this.name = name;
  }

  private open(): Promise<IDBDatabase> {
    this.opened ??= new Promise((resolve, reject) => {
      const request = indexedDB.open(this.name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("values");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    return this.opened;
  }

  /** Written to the disk before it resolves, so that a killed browser does not lose it. */
  async put(key: IDBValidKey, value: Value): Promise<boolean> {
    try {
      const transaction = (await this.open()).transaction("values", "readwrite", { durability: "strict" });
      transaction.objectStore("values").put(value, key);
      return await finished(transaction);
    } catch {
      return false;
    }
  }

  async remove(key: IDBValidKey | IDBKeyRange): Promise<boolean> {
    try {
      const transaction = (await this.open()).transaction("values", "readwrite");
      transaction.objectStore("values").delete(key);
      return await finished(transaction);
    } catch {
      return false;
    }
  }

  get(key: IDBValidKey): Promise<Value | undefined> {
    return this.ask((values) => values.get(key) as IDBRequest<Value | undefined>, undefined);
  }

  /** In the order of their keys. */
  all(range?: IDBKeyRange): Promise<Value[]> {
    return this.ask((values) => values.getAll(range) as IDBRequest<Value[]>, []);
  }

  private async ask<Answer>(question: (values: IDBObjectStore) => IDBRequest<Answer>, otherwise: Answer): Promise<Answer> {
    try {
      const request = question((await this.open()).transaction("values").objectStore("values"));
      return await new Promise((resolve) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => resolve(otherwise);
      });
    } catch {
      return otherwise;
    }
  }
}

function finished(transaction: IDBTransaction): Promise<boolean> {
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = transaction.onerror = () => resolve(false);
  });
}

/** Hold a name for as long as this page lives or until the returned function is called; null when another page holds it. */
export function hold(name: string): Promise<(() => void) | null> {
  if (!navigator.locks) return Promise.resolve(() => undefined);
  return new Promise((resolve) => {
    void navigator.locks.request(name, { ifAvailable: true }, (lock) => {
      if (!lock) return resolve(null);
      return new Promise<void>((release) => resolve(release));
    });
  });
}
