/** A choice kept in this browser; where storage is forbidden it lasts as long as the page. */
export function stored(key: string): string | null {
  try {
    return localStorage.getItem("headgate." + key);
  } catch {
    return null;
  }
}

export function store(key: string, value: string): void {
  try {
    localStorage.setItem("headgate." + key, value);
  } catch {
    // it holds until the page is closed
  }
}
