// Whether the window is as narrow as a phone.

import { useEffect, useState } from "preact/hooks";

const NARROW = "(max-width: 700px)";

/** Whether the window is narrow; follows it. */
export function useNarrow(): boolean {
  const [isNarrow, setNarrow] = useState(() => matchMedia(NARROW).matches);
  useEffect(() => {
    const media = matchMedia(NARROW);
    const follow = () => setNarrow(media.matches);
    media.addEventListener("change", follow);
    return () => media.removeEventListener("change", follow);
  }, []);
  return isNarrow;
}
