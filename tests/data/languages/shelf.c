#include <a.h>
/* Adds. */
static int
add(int a, int b)
{
    return a + b;
}
struct point {
    int x;
};
char *name(void) {
    return 0;
}
int later(int);
