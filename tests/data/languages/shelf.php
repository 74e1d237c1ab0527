<?php
namespace A;
/** A client. */
final class Client implements C
{
    const MAX = 3;
    /**
     * Sends.
     */
    public function send(int $a): int
    {
        return 1;
    }
}
function helper($x) {
    return $x;
}
