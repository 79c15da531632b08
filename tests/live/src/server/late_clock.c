/* The tests preload this into a server. After every fourth reading of the clock, the process sleeps for up to two
   milliseconds, as if the kernel had suspended it between reading the time and using it. */

#include <sys/time.h>
#include <time.h>
#include <unistd.h>

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec time;

    (void) zone;
    clock_gettime(CLOCK_REALTIME, &time);
    now->tv_sec = time.tv_sec;
    now->tv_usec = time.tv_nsec / 1000;
    if (now->tv_usec % 4 == 0)
        usleep(now->tv_usec / 4 % 2000);
    return 0;
}
